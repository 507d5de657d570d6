"""Every alarm fires when it should and not else, names what is exported, and says where its runbook stands."""

from __future__ import annotations

import json
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from local_stack import dashboards
from local_stack.settings import CHECKOUT

CHART = CHECKOUT / "charts" / "payment-analytics"
RULES = CHART / "rules"
CASES = Path(__file__).parent / "alarms"
RUNBOOKS = CHECKOUT / "docs" / "alarms.md"
FILES = sorted(file.stem for file in RULES.glob("*.yaml"))
RECORDED = re.compile(r"\b[a-z_]+(?::[a-z0-9_]+)+")
FUNCTIONS_AND_LABELS = re.compile(r"[a-z_]+")
SEVERITIES = {"critical", "warning", "info"}
FOREIGN = {
    "kubelet_volume_stats_available_bytes",
    "kubelet_volume_stats_capacity_bytes",
    "up",
}
"""What is told of us by others: Kubernetes, and Prometheus itself."""


def rules(kind: str, *files: str) -> dict[str, dict[str, Any]]:
    """Rules by name; `kind` is `alert` or `record`."""
    found: dict[str, dict[str, Any]] = {}
    for file in files or FILES:
        for group in yaml.safe_load((RULES / f"{file}.yaml").read_text())["groups"]:
            for rule in group["rules"]:
                if kind in rule:
                    assert rule[kind] not in found, f"{rule[kind]} is there twice"
                    found[rule[kind]] = rule
    return found


def cases(file: str) -> dict[str, Any]:
    """What raises each alarm of a file, and what does not."""
    read: dict[str, Any] = yaml.safe_load((CASES / f"{file}.yaml").read_text())
    return read


def test_promtool_knows_what_the_rules_say() -> None:
    said = promtool("check", "rules", *(str(RULES / f"{file}.yaml") for file in FILES))
    assert said.returncode == 0, said.stdout + said.stderr


@pytest.mark.parametrize("file", FILES)
def test_each_alarm_fires_when_it_should_and_not_else(file: str, tmp_path: Path) -> None:
    alarms = rules("alert", file)
    assert cases(file).keys() == alarms.keys()
    assert all(case["silent"] for case in cases(file).values())
    for lonely in (False, True):
        tests = [
            test
            for name, case in cases(file).items()
            if case.get("without_thresholds", False) is lonely
            for test in promtool_tests(name, case, alarms[name])
        ]
        if tests:
            said = promtool("test", "rules", str(written(tests, file, lonely, tmp_path)))
            assert said.returncode == 0, said.stdout + said.stderr


def test_a_case_that_is_wrong_fails(tmp_path: Path) -> None:
    alarm = rules("alert", "pipeline")["PipelineJobDown"]
    case = {"at": "3m", "series": {"pipeline_job_running": "0+0x10"}}
    for wrong in (
        {"fires": {**case, "summary": "Something else"}, "silent": []},
        {"fires": {**case, "summary": alarm["annotations"]["summary"]}, "silent": [case]},
    ):
        tests = promtool_tests("PipelineJobDown", wrong, alarm)
        said = promtool("test", "rules", str(written(list(tests), "pipeline", False, tmp_path)))
        assert said.returncode != 0
        assert "PipelineJobDown" in said.stdout + said.stderr


def promtool_tests(name: str, case: dict[str, Any], alarm: dict[str, Any]) -> Iterator[Any]:
    """A case as promtool's tests: once fired with all that it says, and not fired as often as there is a way."""
    expected = {
        "exp_labels": {**alarm["labels"], **case["fires"].get("labels", {})},
        "exp_annotations": {**alarm["annotations"], "summary": case["fires"]["summary"]},
    }
    for each, alerts in [(case["fires"], [expected]), *((each, []) for each in case["silent"])]:
        yield {
            "name": name,
            "interval": "1m",
            "input_series": [
                {"series": series, "values": str(values)}
                for series, values in each["series"].items()
            ],
            "alert_rule_test": [{"alertname": name, "eval_time": each["at"], "exp_alerts": alerts}],
        }


def written(tests: list[Any], file: str, lonely: bool, folder: Path) -> Path:
    """The tests as a file of promtool's, on the very rules that are delivered; `lonely`: nothing is recorded."""
    used = [RULES / f"{each}.yaml" for each in dict.fromkeys((file, "thresholds"))]
    if lonely:
        groups = yaml.safe_load(used[0].read_text())["groups"]
        used = [folder / "alarms.yaml"]
        used[0].write_text(yaml.safe_dump({"groups": [g for g in groups if "alarm" in g["name"]]}))
    path = folder / "test.yaml"
    whole = {
        "rule_files": list(map(str, used)),
        "evaluation_interval": "1m",
        "group_eval_order": recorded_before_alarms(used),
        "tests": tests,
    }
    path.write_text(yaml.safe_dump(whole))
    return path


def recorded_before_alarms(files: list[Path]) -> list[str]:
    """The groups' names so that no alarm reads a recorded value of a minute ago: promtool has no order of its own."""
    groups = [group for file in files for group in yaml.safe_load(file.read_text())["groups"]]
    return [
        group["name"]
        for group in sorted(
            groups, key=lambda group: any("alert" in rule for rule in group["rules"])
        )
    ]


def promtool(*words: str) -> subprocess.CompletedProcess[str]:
    """One command of Prometheus' own tool."""
    return subprocess.run(
        ["promtool", *words], capture_output=True, text=True, timeout=120, check=False
    )


def test_each_alarm_says_how_bad_it_is_and_where_its_runbook_stands() -> None:
    headings = re.findall(r"^### (\w+)$", RUNBOOKS.read_text(), flags=re.MULTILINE)
    assert sorted(headings) == sorted(rules("alert"))
    for name, alarm in rules("alert").items():
        assert alarm["labels"]["severity"] in SEVERITIES, name
        assert set(alarm["annotations"]) == {"summary", "description", "runbook_url"}, name
        assert alarm["annotations"]["runbook_url"] == f"docs/alarms.md#{name.lower()}"
        assert "{{" not in alarm["annotations"]["description"], f"{name}: only its summary varies"


def test_each_runbook_says_what_to_look_at_what_to_do_and_when_it_is_over() -> None:
    for section in re.split(r"^### ", RUNBOOKS.read_text(), flags=re.MULTILINE)[1:]:
        name = section.partition("\n")[0]
        for word in ("**Look:**", "**Do:**", "**Over:**"):
            assert word in section, f"{name}: {word}"


def test_whatever_is_recorded_is_used_and_whatever_is_used_is_recorded() -> None:
    recorded = rules("record").keys()
    expressions = [rule["expr"] for kind in ("alert", "record") for rule in rules(kind).values()]
    used = set(RECORDED.findall("\n".join([*expressions, *panels()])))
    assert used == set(recorded)


def panels() -> list[str]:
    """What the dashboards ask Prometheus for."""
    texts = [file.read_text() for file in sorted((CHART / "dashboards").glob("*.json"))]
    return re.findall(r'"expr": "(.+)"', "\n".join(texts))


def test_only_what_we_or_prometheus_or_kubernetes_export_is_named() -> None:
    """Ours by tests/contract/test_metrics.py, which looks at each name and label."""
    expressions = [rule["expr"] for kind in ("alert", "record") for rule in rules(kind).values()]
    for expression in [*expressions, *(json.loads(f'"{each}"') for each in panels())]:
        bare = re.sub(r'"[^"]*"|\[[^\]]*\]|\b(?:by|on) \([^)]*\)', " ", expression)
        bare = RECORDED.sub(" ", re.sub(r"\{[^}]*\}", " ", bare))
        named = set(re.findall(r"\b[a-z_][a-z0-9_]*\b(?! *\()", bare))
        others = {each for each in named if not re.match("(gateway|pipeline|audit|archive)_", each)}
        assert others - FOREIGN <= {"and", "or", "unless", "offset"}, expression


def test_the_dashboards_are_what_their_code_makes() -> None:
    assert [path.name for path, _ in dashboards.stale()] == [], "run ./dev docs"


def test_no_two_panels_ask_for_the_same_in_one_dashboard() -> None:
    for file in sorted((CHART / "dashboards").glob("*.json")):
        told = json.loads(file.read_text())
        asked = Counter(each["expr"] for panel in told["panels"] for each in panel["targets"])
        assert asked.most_common(1)[0][1] == 1, file.name
        assert told["uid"], file.name
        assert file.stat().st_size < 40_000

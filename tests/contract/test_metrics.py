"""What Prometheus is told: by its conventions, with bounded labels, and by the names that are documented."""

# ruff: noqa: UP031 - documents with braces read better with % than with doubled braces

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from gateway.access.auth import api_keys, watched
from gateway.access.auth.api_keys import ApiKey
from gateway.access.caller import Role
from gateway.analytics import query_plan
from gateway.app import create_app
from gateway.documents.named import MAX_NAMES
from gateway.errors import StoreUnavailableError
from gateway.process import logs
from gateway.process.metrics import OTHER
from gateway.settings import Settings
from graphql_schema.error_codes import ErrorCode
from local_stack.settings import CHECKOUT
from stream_jobs.archive.layout import Part
from stream_jobs.archive.telling import ArchiveMetrics
from stream_jobs.audit.disk import DiskMetrics
from stream_jobs.audit.duty import Alone
from stream_jobs.audit.findings import Finding, Kind, Tier
from stream_jobs.audit.publish import AuditMetrics, Counts, report
from stream_jobs.audit.state import Closing, Positions, State
from stream_jobs.audit.stretches import Stretch
from stream_jobs.audit.telling import Telling
from stream_jobs.progress.active import Active
from stream_jobs.progress.job_metrics import JobMetrics
from stream_jobs.progress.job_watch import JobLook, Look
from stream_jobs.progress.progress_metrics import ProgressMetrics
from stream_jobs.progress.unread import Unread
from tests.metric_samples import NO_LINT, linted
from tests.unit.gateway.fakes import NOW_MS, ReferenceStore

NAMES = 10_000
# What stands behind a colon is recorded, not told.
TABLES = {
    path.name.removesuffix("_schema.json")
    for path in (CHECKOUT / "pinot_config").glob("*_schema.json")
}
NAMED = re.compile(r"(?<!:)\b((?:gateway|pipeline|audit|archive)_[a-z0-9_]+)(?:\{([^}]*)\})?")
PAGES = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").glob("**/*.md"))]


class Gateway:
    """The application in this process."""

    def __init__(self, **changed: Any) -> None:
        self.store = ReferenceStore()
        app = create_app(Settings(**changed), self.store, epoch_ms=lambda: NOW_MS)
        logs.configure("critical")
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://localhost"
        )

    async def ask(self, query: str, **more: Any) -> None:
        await self.client.post("/graphql", json={"query": query, **more})

    async def value(self, name: str, **labels: str) -> float | None:
        for family in text_string_to_metric_families(await self.text()):
            for sample in family.samples:
                if sample.name == name and sample.labels == labels:
                    return sample.value
        return None

    async def text(self) -> str:
        return (await self.client.get("/metrics")).text

    async def use(self) -> None:
        """Every kind of outcome."""
        totals = '{ account(id: "a") { totals(window: {calendar: TODAY}) { transactionCount } } }'
        for query in (totals, totals, "{ nonsense }", "{"):
            await self.ask(query)
        hashed = {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}
        await self.client.post("/graphql", json={"extensions": hashed})
        self.store.error = StoreUnavailableError("down")
        await self.ask(totals.replace('"a"', '"b"'))


def tracker_text() -> str:
    metrics = JobMetrics()
    job = JobLook(
        running=True,
        parallelism=2,
        restarts=1,
        checkpoint_age_s=0.5,
        checkpoint_s=0.1,
        state_bytes=4_096,
        failed_checkpoints=0,
    )
    undecided, rejected = {"account-entries": 3}, {"NOT_JSON": 1, "NEWER": 2}
    metrics.look = Look(job, {0: 9, 1: 7}, {0: 9, 1: 5}, undecided, rejected, 0.1, False)
    unread = Unread()
    unread.look("transactions", {0: 3}, {0: 5}, known_empty=lambda *_: False)
    itself = ProgressMetrics(lambda: NOW_MS, NOW_MS - 1_000, unread)
    active = Active("pipeline_tracker_active", "1 while this tracker works; 0: stands by.")
    active.told = [metrics, itself]
    return generate_latest(active).decode()


def audit_text(folder: Path) -> str:
    state = State(folder / "audit.sqlite3")
    finding = Finding(Tier.ENTRIES, Kind.LOST, NOW_MS, 2, 7, "an id", "no entry")
    state.add_findings([finding], NOW_MS)
    state.write(Closing(Positions(), [Stretch(0, 5, 9)]), NOW_MS)
    said = report(state, Counts(), (NOW_MS, NOW_MS), NOW_MS, NOW_MS)
    state.close()
    # Beside each other here, so that every name is looked at.
    standing_by = Telling(Alone(lambda _: None), lambda: said, lambda: NOW_MS).collector
    metrics = generate_latest(standing_by) + generate_latest(AuditMetrics(said, lambda: NOW_MS))
    return (metrics + generate_latest(DiskMetrics(folder))).decode()


def archive_text() -> str:
    metrics = ArchiveMetrics(lambda: NOW_MS / 1000)
    part = Part("transactions", 0, NOW_MS, 0, 7)
    metrics.wrote(part, 7)
    metrics.lost(part)
    return generate_latest(metrics.registry).decode()


async def exports(folder: Path) -> dict[str, str]:
    gateway = Gateway()
    await gateway.use()
    return {
        "gateway": await gateway.text(),
        "tracker": tracker_text(),
        "audit": audit_text(folder),
        "archive": archive_text(),
    }


def families(text: str) -> dict[str, Metric]:
    """Families by the name that Prometheus knows them by."""
    found = {}
    for family in text_string_to_metric_families(text):
        found[family.name + "_total" * (family.type == "counter")] = family
    return found


@pytest.mark.anyio
@pytest.mark.parametrize("exporter", ["gateway", "tracker", "audit", "archive"])
async def test_promtool_has_nothing_against_what_is_told(exporter: str, tmp_path: Path) -> None:
    text = (await exports(tmp_path))[exporter]
    assert len(text.splitlines()) > 10
    assert linted(text) == NO_LINT


def test_promtool_would_say_what_is_wrong() -> None:
    said = linted("# TYPE audit_milliseconds counter\naudit_milliseconds 1\n")
    assert "no help text" in said
    assert "_total" in said
    assert "base unit" in said


@pytest.mark.anyio
async def test_a_family_has_one_set_of_labels(tmp_path: Path) -> None:
    for text in (await exports(tmp_path)).values():
        for name, family in families(text).items():
            sets = {frozenset(each.labels.keys() - {"le"}) for each in family.samples}
            assert len(sets) <= 1, name
            assert family.documentation, name


def named(text: str) -> Iterator[tuple[str, frozenset[str]]]:
    """Metrics that a page or a rule names, each with the labels that it says; a Pinot table is none."""
    for name, labels in NAMED.findall(text):
        if name not in TABLES:
            yield (
                name,
                frozenset(re.findall(r"\b[a-z_]+(?=[=,}]|$)", re.sub('"[^"]*"', "", labels))),
            )


@pytest.mark.anyio
async def test_every_metric_that_pages_and_rules_name_is_told_with_these_labels(
    tmp_path: Path,
) -> None:
    told = {}
    for text in (await exports(tmp_path)).values():
        for name, family in families(text).items():
            labels = frozenset(label for each in family.samples for label in each.labels)
            told[name] = labels
    found = 0
    for page in [*PAGES, *rules()]:
        for name, labels in named(page.read_text()):
            found += 1
            known = re.sub("_(bucket|sum|count)$", "", name) if name not in told else name
            assert known in told, f"{page}: {name}"
            assert labels <= told[known] or not told[known], f"{page}: {name} {set(labels)}"
    assert found > 30


@pytest.mark.anyio
async def test_what_gateways_are_scaled_by_is_told(tmp_path: Path) -> None:
    template = CHECKOUT / "charts/payment-analytics/templates/autoscaling.yaml"
    asked = {name for name, _ in named(template.read_text())}
    assert asked
    assert asked <= families((await exports(tmp_path))["gateway"]).keys()


def rules() -> list[Path]:
    """Files of alarms and recording rules, and dashboards."""
    files = [path for path in CHECKOUT.glob("*/**/*") if path.suffix in {".yaml", ".yml", ".json"}]
    return [path for path in files if re.search(r'"?expr"?:', path.read_text())]


@pytest.mark.anyio
async def test_every_metric_that_is_told_is_documented(tmp_path: Path) -> None:
    text = (CHECKOUT / "docs" / "operations.md").read_text()
    documented = {name for name, _ in named(text)}
    for exporter, told in (await exports(tmp_path)).items():
        assert families(told).keys() - documented == set(), exporter


def labels_of(text: str) -> dict[str, set[str]]:
    """Values by label."""
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        for each in family.samples:
            for label, value in each.labels.items():
                found.setdefault(label, set()).add(value)
    return found


@pytest.mark.anyio
async def test_no_caller_makes_up_series(tmp_path: Path) -> None:
    trusted = "query Known { limits { maxFirst } } query Other { limits { maxDepth } }"
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"one": trusted}))
    gateway = Gateway(trusted_documents="log", trusted_documents_manifest=str(manifest))
    for number in range(NAMES):
        if number % 8:
            await gateway.ask(trusted, operationName=f"Made{number}")
        else:
            await gateway.ask(f"query Mine{number} {{ __typename }}")
    for number in range(20):
        path, code = f"/graphql/{number}", f"code-{number}"
        await gateway.client.request(f"METHOD{number}", path, headers={"origin": path})
        await gateway.client.post("/graphql", json={"documentId": code, "operationName": code})
        await gateway.ask("{ field%d }" % number, extensions={"persistedQuery": code})
        await gateway.client.post("/graphql", content=code, headers={"content-type": code})
    await gateway.use()
    await gateway.ask(trusted, operationName="Known")
    labels = labels_of(await gateway.text())
    assert labels.pop("operation") == {"Known", OTHER}
    plans = {plan.__name__ for plan in vars(query_plan).values() if isinstance(plan, type)}
    assert labels.pop("plan") <= plans
    assert labels.pop("code") <= {*ErrorCode.__members__, "CLIENT_GONE"}
    assert labels.pop("outcome") <= {"ok", "partial", "error"}
    results = "hit stale rescued miss coalesced shared apq_miss untrusted trusted_miss trusted_hit"
    assert labels.pop("result") <= set(results.split())
    assert labels.pop("state") == {"running", "queued"}
    del labels["le"]
    assert not labels


@pytest.mark.anyio
async def test_of_many_trusted_names_so_many_are_told_apart(tmp_path: Path) -> None:
    documents = {str(n): "query Name%d { limits { maxFirst } }" % n for n in range(NAMES)}
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps(documents))
    gateway = Gateway(trusted_documents="enforce", trusted_documents_manifest=str(manifest))
    for number in range(0, NAMES, 7):
        await gateway.client.post("/graphql", json={"documentId": str(number)})
    told = labels_of(await gateway.text())["operation"]
    assert OTHER in told
    assert "Name7" in told
    assert 2 < len(told) <= MAX_NAMES + 1


@pytest.mark.anyio
async def test_a_file_of_rights_that_breaks_is_an_alarm_at_the_next_scrape(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched, "LOOK_EVERY_S", 0.0)
    keys, groups = tmp_path / "keys.json", tmp_path / "groups.json"
    keys.write_text('{"version": 1, "keys": []}')
    groups.write_text("{}")
    masking = tmp_path / "masking.key"
    masking.write_text("k" * 32)
    gateway = Gateway(auth_keys=str(keys), auth_groups=str(groups), masking_key_file=str(masking))
    said = []
    for content in ("{}", "{", "{}"):
        groups.write_text(content)
        said.append(
            [
                await gateway.value("gateway_auth_files_unreadable", file=file)
                for file in ("auth_keys", "auth_groups")
            ]
        )
    assert said == [[0, 0], [0, 1], [0, 0]]


@pytest.mark.anyio
async def test_the_ages_of_credentials_are_told_by_file_and_never_by_holder(tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    _, _, sha256 = api_keys.new_secret()
    key = ApiKey(
        id="0123456789ab",
        name="acme",
        role=Role.PARTNER,
        sha256=sha256,
        created="2026-01-01T00:00:00+00:00",
        expires=datetime.fromtimestamp(NOW_MS // 1000 + 60, UTC).isoformat(),
        revoked=None,
        accounts=frozenset({"a"}),
        groups=(),
        sees_counterparties=False,
    )
    keys.write_bytes(api_keys.dump([key]))
    token = tmp_path / "metrics.token"
    token.write_text("t" * 32)
    os.utime(token, (1_000, 1_000))
    masking = tmp_path / "masking.key"
    masking.write_text("k" * 32)
    files = {"metrics_token_file": str(token), "masking_key_file": str(masking)}
    gateway = Gateway(auth_keys=str(keys), **files)
    gateway.client.headers["authorization"] = "Bearer " + "t" * 32
    modified = "gateway_auth_file_modified_timestamp_seconds"
    assert await gateway.value(modified, file="metrics_token_file") == 1_000
    expires = "gateway_auth_keys_expire_timestamp_seconds"
    assert await gateway.value(expires, file="auth_keys") == NOW_MS // 1000 + 60
    assert await gateway.value("gateway_auth_jwks_unreachable") == 0
    text = await gateway.text()
    assert "acme" not in text
    assert "0123456789ab" not in text

"""The benchmark's rows are entries as the job writes them, and what it expects of them is what the reference says."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal

import pytest

from gateway.analytics.model import Direction, Entry, TransactionKind
from pinot_config.tables import load_tables
from tests.load.startree import FULL, QUICK, chosen, markdown, parser, without_trees
from tests.load.startree.expected import expected
from tests.load.startree.questions import NETWORK, questions
from tests.load.startree.rows import BEGIN_MS, MONTH_MS, USUAL, crowd, lines, month, text
from tests.load.startree.ways import ways_of
from tests.reference import evaluate

MONTHS, ROWS = 2, 4_000
CROWD = crowd(ROWS)
MADE = [month(CROWD, number, ROWS) for number in range(MONTHS)]
WRITTEN = [[json.loads(line) for line in lines(rows, number)] for number, rows in enumerate(MADE)]


def entries() -> list[Entry]:
    return [
        Entry(
            each["account_id"],
            each["counterparty_id"],
            Direction(each["direction"]),
            each["transaction_id"],
            Decimal(each["amount"]),
            each["event_time_ms"],
            TransactionKind(each["kind"]),
            each.get("reverses"),
        )
        for rows in WRITTEN
        for each in rows
    ]


def test_what_is_expected_is_what_the_reference_says_of_the_rows_as_they_are_written() -> None:
    all_of_them = entries()
    asked = questions(CROWD, MONTHS)
    for each in asked:
        said = evaluate(each.plan, all_of_them)
        if each.what == "totals":
            said.sort(key=lambda row: row.direction.value)
        found = expected(each.plan, MADE, 1)
        assert found == said, each
        assert found or each.window == "1 day", each
    assert {each.what for each in asked} == {"totals", "by day", "by hour", "top 10"}


def test_copies_count_as_often_as_they_are_there() -> None:
    for each in questions(CROWD, MONTHS):
        once, often = (expected(each.plan, MADE, copies) for copies in (1, 3))
        assert [(3 * row.transaction_count, 3 * row.transaction_amount) for row in once] == [
            (row.transaction_count, row.transaction_amount) for row in often
        ]


def test_a_segment_has_its_rows_by_account_and_of_its_month() -> None:
    for number, rows in enumerate(WRITTEN):
        assert len(rows) == ROWS
        ids = [each["account_id"] for each in rows]
        assert ids == sorted(ids)
        begin_ms = BEGIN_MS + number * MONTH_MS
        assert all(begin_ms <= each["event_time_ms"] < begin_ms + MONTH_MS for each in rows)


def test_accounts_have_the_rows_a_month_that_they_are_called_by() -> None:
    copies = 8
    of = crowd(40_000 * copies)
    rows = Counter(each["account_id"] for each in map(json.loads, lines(month(of, 0, 40_000), 0)))
    assert rows[of.account_id("heavy")] == pytest.approx(8_000, rel=0.02)
    assert rows[of.account_id("middle")] == pytest.approx(400, abs=1)
    assert rows[of.account_id("small")] == pytest.approx(40, abs=1)
    least, most = USUAL
    others = [each for each in of.rows_a_month if each < 0.001 * 40_000 * copies]
    assert min(others) == pytest.approx(least, rel=0.02)
    assert max(others) == pytest.approx(most, rel=0.02)


def test_amounts_have_two_to_eight_places_and_reversals_negative_ones() -> None:
    for each in (each for rows in WRITTEN for each in rows):
        assert (Decimal(each["amount"]) < 0) == (each["kind"] == "REVERSAL") == ("reverses" in each)
    places = {-Decimal(each["amount"]).as_tuple().exponent for each in WRITTEN[0]}  # type: ignore[operator]
    assert places >= {2, 8}
    assert places <= set(range(2, 9))


@pytest.mark.parametrize(
    ("units", "said"),
    [
        (1, "0.00000001"),
        (-123_000_000, "-1.23"),
        (10**16 + 10, "100000000.0000001"),
        (-1, "-0.00000001"),
        (0, "0.00"),
    ],
)
def test_an_amount_is_written_with_the_places_it_needs(units: int, said: str) -> None:
    assert text(units) == said


def test_windows_on_no_round_hour_are_asked_too() -> None:
    for of in (NETWORK, "heavy", "middle", "small", "usual"):
        windows = {(q.window, q.hours) for q in questions(CROWD, 8) if q.of == of}
        assert len(windows) == 6, of


def test_only_an_accounts_window_on_no_round_hour_is_also_asked_in_parts() -> None:
    for each in questions(CROWD, MONTHS):
        in_parts = not each.hours and each.of != NETWORK and each.what != "top 10"
        assert ways_of(each.plan) == ("with", "without", *(["in parts"] if in_parts else [])), each


def test_the_table_has_each_way_that_was_asked() -> None:
    cost = {"docs_scanned": 1_234, "server_cpu_ms": 1.5, "broker_cpu_ms": 0.5, "p50_ms": 3.0}
    asked = {"of": "heavy", "what": "totals", "window": "1 day", "with": cost, "without": cost}
    rows = markdown([{**asked, "hours": True}, {**asked, "hours": False, "in parts": cost}])
    two, three = rows.splitlines()[2:]
    assert two == "| heavy | totals | 1 day | 1,234 / 1,234 | 1.5 + 0.5 / 1.5 + 0.5 | 3.0 / 3.0 |"
    assert three.startswith(
        "| heavy | totals | 1 day, ragged | 1,234 / 1,234 / 1,234 | 1.5 + 0.5 / 1.5"
    )


def test_without_star_trees_the_table_is_otherwise_the_same() -> None:
    config = load_tables({})[0].table_config
    bare = without_trees(config)
    assert set(config["tableIndexConfig"]) - set(bare["tableIndexConfig"]) == {
        "starTreeIndexConfigs",
        "enableDynamicStarTreeCreation",
    }
    assert {**bare, "tableIndexConfig": 0} == {**config, "tableIndexConfig": 0}


def test_options_that_are_given_stand_and_the_others_go_by_size() -> None:
    assert vars(chosen([])) == {**FULL, "quick": False}
    assert vars(chosen(["--quick", "--rows", "7"])) == {**QUICK, "rows": 7, "quick": True}
    assert FULL["segments"] * FULL["rows"] == 51_200_000
    assert parser().parse_args([]).rows is None


@pytest.mark.parametrize("words", ["--segments 65", "--months 1 --segments 4", "--segments 0"])
def test_segments_that_months_do_not_divide_are_refused(
    words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        chosen(words.split())
    assert "--segments a multiple of it" in capsys.readouterr().err


@pytest.mark.parametrize("words", ["--turns 0", "--rows 0"])
def test_no_rows_and_no_turns_are_refused(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        chosen(words.split())
    assert "--rows and --turns are 1 or more" in capsys.readouterr().err

"""What is sent of a file, and under which key; wrong arguments are told apart from Kafka's refusals."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from stream_jobs.tools import produce


def test_each_line_is_one_record_verbatim_and_empty_lines_are_none() -> None:
    stream = io.BytesIO(b'{"a": 1}\n\n not json \r\n\xff\xfe\nlast without end')
    assert list(produce.lines(stream)) == [
        b'{"a": 1}',
        b" not json \r",
        b"\xff\xfe",
        b"last without end",
    ]


@pytest.mark.parametrize(
    ("value", "key"),
    [
        (b'{"from_account_id": "a\xc3\xa9"}', "a\u00e9"),
        (b'{"from_account_id": 5}', None),
        (b'{"to_account_id": "a"}', None),
        (b"[1]", None),
        (b"\xff", None),
    ],
)
def test_the_key_is_the_payer_where_it_can_be_read(value: bytes, key: str | None) -> None:
    assert produce.key_of(value) == key


def test_a_missing_file_is_one_clear_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "events.jsonl"
    assert produce.main([str(missing), "--kafka", "127.0.0.1:1"]) == 2
    assert capsys.readouterr().err == f"produce: {missing}: No such file or directory\n"

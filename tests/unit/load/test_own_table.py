"""A copy of a segment is the segment with another name and the metadata that were changed."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from tests.load.own_table import Segment, configured


def segment(folder: Path) -> Segment:
    (folder / "v3").mkdir(parents=True)
    (folder / "v3" / "metadata.properties").write_text("segment.name = first\nsegment.rows = 5\n")
    (folder / "v3" / "columns.psf").write_bytes(bytes(range(256)) * 400)
    (folder / "v3" / "star_tree_index").write_bytes(b"tree")
    return Segment(folder)


def unpacked(packed: bytes) -> dict[str, bytes | None]:
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as tar:
        return {
            each.name: file.read() if (file := tar.extractfile(each)) else None
            for each in tar.getmembers()
        }


def test_copies_differ_in_their_metadata_only_and_begin_with_their_folder(tmp_path: Path) -> None:
    made = segment(tmp_path / "made")
    second, third = (unpacked(made.packed(name, {"segment.rows": 7})) for name in ("b", "c"))
    assert second["segment/v3/metadata.properties"] == b"segment.name = b\nsegment.rows = 7\n"
    assert third["segment/v3/metadata.properties"] == b"segment.name = c\nsegment.rows = 7\n"
    assert second["segment/v3/columns.psf"] == bytes(range(256)) * 400
    assert next(iter(second)) == "segment"
    same = [{k: v for k, v in each.items() if "metadata" not in k} for each in (second, third)]
    assert same[0] == same[1]
    assert len(same[0]) == 4
    assert made.bytes_by_file["star_tree_index"] == 4


def test_metadata_that_are_not_there_are_not_changed_silently(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no segment\.end"):
        segment(tmp_path / "made").packed("b", {"segment.end": 1})


def test_the_table_is_the_entries_own_but_offline_and_without_a_stream() -> None:
    schema, config = configured("some_bench", 8, ["partition"])
    index = config["tableIndexConfig"]
    assert config["tableType"] == "OFFLINE"
    assert schema["schemaName"] == config["tableName"] == "some_bench"
    assert "streamConfigs" not in index
    assert len(index["starTreeIndexConfigs"]) == 2
    assert index["segmentPartitionConfig"]["columnPartitionMap"]["account_id"]["numPartitions"] == 8
    assert "event_hour_ms" in {
        e["columnName"] for e in config["ingestionConfig"]["transformConfigs"]
    }

"""One committed segment of Pinot: fetched, rewritten without an id, and put in its own place."""

from __future__ import annotations

import json
import shutil
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import quote

from stream_jobs.audit.pinot_tier import row_of
from stream_jobs.audit.sums import Row
from stream_jobs.erasure.tables import Held
from stream_jobs.events.erased_text import Replacement, word
from stream_jobs.json_http import JsonHttp

# What is packed is packed on the way to the controller only.
QUICKLY: Final = 1


class Rewriter(Protocol):
    """jvm.Jvm does it."""

    def rewrite(self, asked: Mapping[str, Any]) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A segment without the id, packed; `rows` are those that were changed, as they were, of entries only."""

    archive: Path
    docs: int
    changed: int
    rows: Sequence[Row]


class Segments:
    """The segments of one cluster by its controller; what is fetched lies in `folder`, its caller's to remove."""

    def __init__(self, controller: JsonHttp, rewriter: Rewriter, folder: Path) -> None:
        self._controller = controller
        self._rewriter = rewriter
        self._folder = folder

    def crc(self, table: str, segment: str) -> str:
        """The checksum of the segment that is to be served."""
        told = self._controller.get(f"/segments/{table}_REALTIME/{quote(segment)}/metadata")
        return str(told["segment.crc"])

    def rewrite(self, table: str, held: Held, segment: str, replacement: Replacement) -> Rewritten:
        """The segment with the pseudonym in place of the id. Raises what the controller and the rewriter raise."""
        for each in self._folder.iterdir():
            shutil.rmtree(each) if each.is_dir() else each.unlink()
        packed, rows = self._folder / f"{segment}.tar.gz", self._folder / "rows"
        self._controller.download(f"/segments/{table}/{quote(segment)}", packed)
        with tarfile.open(packed) as archive:
            archive.extractall(self._folder / "was", filter="data")
        said = self._rewriter.rewrite(
            {
                "segment": str(self._folder / "was" / segment),
                "into": str(self._folder / "is"),
                "table": self._controller.get(f"/tables/{table}")["REALTIME"],
                "id": replacement.account_id,
                "pseudonym": replacement.pseudonym,
                "word": word(replacement.account_id),
                "values": held.values,
                "texts": held.texts,
                "sorted": held.sorted_by,
                "computed": held.computed,
                "told": held.told,
                "rows": str(rows),
            }
        )
        with tarfile.open(packed, "w:gz", compresslevel=QUICKLY) as archive:
            archive.add(self._folder / "is" / segment, segment)
        lines = rows.read_text(encoding="utf-8").splitlines() if held.told else []
        changed = [row_of(json.loads(line)) for line in lines]
        return Rewritten(packed, said["docs"], said["changed"], changed)

    def replace(self, table: str, rewritten: Rewritten, crc: str) -> None:
        """Put it in its own place, unless the segment has changed since it had this checksum."""
        self._controller.upload(
            f"/v2/segments?tableName={table}&tableType=REALTIME&allowRefresh=true",
            rewritten.archive,
            {"If-Match": crc},
        )

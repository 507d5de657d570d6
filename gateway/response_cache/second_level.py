"""The second level: answers shared by processes, in a store that is not trusted.

It has no bound, so what goes there is small and expires by itself. It does not keep many from
loading one thing, so it is only asked inside a flight. What comes out is taken only if one of us has
signed it, under this name: who else can write there cannot answer for us, and a client that mixes up
replies, as redis-py did when a command was given up (CVE-2023-28859), sends nobody another's answer.
Ages are told by the store's own clock, the only one that writer and reader share; and what was asked
where it is another time of day is left to its maker: "today" may be another day there. Its failures
are never ours: past a short deadline an answer is made as if there were no second level, and after a
failure it is left alone for a while.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol, TypeVar

import orjson

from gateway.process.clock import EpochS, Monotonic
from gateway.process.signing import SIGNATURE_BYTES, Signer
from gateway.response_cache.entry import Entry

VERSION = 3
LARGEST_BYTES = 262_144
LEFT_ALONE_S = 1.0
MOST_WRITES = 64
ROUNDING_S = 0.001
MOST_APART_S = 1.0
"""By how much the clock of a gateway may be off ours whose answers are taken; kept clocks are apart by less."""
Count = Callable[[str], None]
Got = TypeVar("Got")


class Found(NamedTuple):
    """What is kept under a name (nothing: no bytes), and the store's clock, in seconds."""

    content: bytes
    clock_s: float


class SharedStore(Protocol):
    """Bytes by name, for a time."""

    async def get(self, key: str, most_bytes: int) -> Found:
        """What is kept, its first `most_bytes` if it is longer."""
        ...

    async def set(self, key: str, value: bytes, ttl: float) -> object:
        """Keep for `ttl` seconds."""
        ...

    async def close(self) -> object:
        """Give connections back."""
        ...


class SecondLevel:
    """Entries in a shared store; never the reason why an answer fails, or is late."""

    def __init__(
        self,
        store: SharedStore,
        signer: Signer,
        monotonic: Monotonic,
        epoch_s: EpochS,
        count: Count,
    ) -> None:
        self._store = store
        self._signer = signer
        self._monotonic = monotonic
        self._epoch_s = epoch_s
        self._count = count
        self._left_alone_until_s = float("-inf")
        self._ahead_s: float | None = None
        """By how much the store's clock is ahead of ours, or a little less; unknown after a failure."""
        self._writing: set[asyncio.Task[None]] = set()

    async def get(self, name: str) -> Entry | None:
        """The entry of a name, as old as the store's clock says, or older by the way there and back."""
        asked_s = self._monotonic()
        found = await self._call(lambda: self._store.get(name, LARGEST_BYTES + 1))
        if found is None:
            return None
        self._ahead_s = found.clock_s - self._monotonic()
        if not found.content:
            return None
        apart_s = self._epoch_s() - found.clock_s
        entry = decode(self._signer, name, found.content, found.clock_s - asked_s, apart_s)
        if entry is not None and entry.born_s > asked_s + ROUNDING_S:
            entry = None  # the store's clock was set back: nobody can tell how old it is
        self._count("hit" if entry is not None else "malformed")
        return entry

    def put(self, name: str, entry: Entry) -> None:
        """Keep an entry, in the background; not if the store could not be asked for it before."""
        full = entry.size > LARGEST_BYTES or len(self._writing) >= MOST_WRITES
        if full or self._ahead_s is None:
            self._count("not_written")
            return
        now_s = self._monotonic()
        apart_s = self._epoch_s() - (now_s + self._ahead_s)
        content = encode(self._signer, name, entry, self._ahead_s, apart_s)
        ttl_s = entry.rescue_until_s - now_s
        writing = asyncio.ensure_future(self._write(name, content, ttl_s))
        self._writing.add(writing)
        writing.add_done_callback(self._writing.discard)

    async def close(self) -> None:
        """Finish what is being written, and close."""
        await asyncio.gather(*self._writing)
        await self._store.close()

    async def _write(self, name: str, content: bytes, ttl_s: float) -> None:
        await self._call(lambda: self._store.set(name, content, max(0.001, float(ttl_s))))

    async def _call(self, call: Callable[[], Awaitable[Got]]) -> Got | None:
        if self._monotonic() < self._left_alone_until_s:
            self._count("left_alone")
            return None
        try:
            return await call()
        except Exception:  # noqa: BLE001 # whatever answers there, and however
            self._count("failed")
            self._left_alone_until_s = self._monotonic() + LEFT_ALONE_S
            self._ahead_s = None
            return None


def encode(signer: Signer, name: str, entry: Entry, ahead_s: float, apart_s: float) -> bytes:
    """An entry as bytes that are signed: its birth on a clock that is ahead of its own by `ahead_s`.

    `apart_s`: by how much the time of day is later at its maker's than that clock says.
    """
    head = {
        "version": VERSION,
        "name": name,
        "etag": entry.etag.decode(),
        "born_s": entry.born_s + ahead_s,
        "apart_s": apart_s,
        "fresh_s": entry.fresh_until_s - entry.born_s,
        "stale_s": entry.stale_until_s - entry.born_s,
        "rescue_s": entry.rescue_until_s - entry.born_s,
        "max_age": entry.max_age.decode(),
    }
    content = orjson.dumps(head) + b"\n" + entry.body
    return signer.sign(content) + content


def decode(
    signer: Signer, name: str, content: bytes, ahead_s: float, apart_s: float
) -> Entry | None:
    """The entry that was kept under this name, on a clock that the store's is ahead of by `ahead_s`.

    `apart_s`: by how much the time of day is later here than the store's clock says. `None` if none of
    us has signed these bytes, or for another name or version, or at another time of day.
    """
    signature, signed = content[:SIGNATURE_BYTES], memoryview(content)[SIGNATURE_BYTES:]
    if len(content) > LARGEST_BYTES or not signer.is_signed(signed, signature):
        return None
    end = content.index(b"\n", SIGNATURE_BYTES)
    head = orjson.loads(content[SIGNATURE_BYTES:end])
    if (head["version"], head["name"]) != (VERSION, name):
        return None
    if abs(head["apart_s"] - apart_s) > MOST_APART_S:
        return None
    body, born_s = content[end + 1 :], head["born_s"] - ahead_s
    return Entry(
        body,
        str(len(body)).encode(),
        head["etag"].encode(),
        born_s,
        born_s + head["fresh_s"],
        born_s + head["stale_s"],
        born_s + head["rescue_s"],
        head["max_age"].encode(),
    )

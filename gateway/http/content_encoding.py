"""Bodies that are packed: by gzip, to the size that a body may have, or refused with what is understood."""

from __future__ import annotations

import zlib

from gateway.http.refused import RequestRefusedError

UNDERSTOOD = b"gzip, identity"
MAX_MEMBERS = 100
"""Each takes 3 µs, even if nothing is in it."""

_GZIP = (["gzip"], ["x-gzip"])
_WITH_GZIP_HEADER = 31


def is_packed(content_encoding: bytes | None) -> bool:
    """Whether a body has to be unpacked; raises `RequestRefusedError` for what is not understood."""
    if content_encoding is None:
        return False
    words = (word.strip().lower() for word in content_encoding.decode("latin-1").split(","))
    codings = [word for word in words if word not in ("", "identity")]
    if codings and codings not in _GZIP:
        message = "The body may be packed by gzip, once, or sent as it is."
        raise RequestRefusedError(415, message, headers=((b"accept-encoding", UNDERSTOOD),))
    return bool(codings)


def unpacked(body: bytes, max_bytes: int) -> bytes:
    """What is in a gzip file of one or more members; raises `RequestRefusedError`.

    No more than `max_bytes` and one are ever unpacked.
    """
    content = b""
    for _ in range(MAX_MEMBERS):
        member = zlib.decompressobj(_WITH_GZIP_HEADER)
        try:
            content += member.decompress(body, max_bytes + 1 - len(content))
        except zlib.error:
            raise RequestRefusedError(400, "The body is not packed by gzip.") from None
        if len(content) > max_bytes:
            raise RequestRefusedError(413, f"The body may have up to {max_bytes} bytes, unpacked.")
        if not member.eof:
            raise RequestRefusedError(400, "The body ends in the middle of what gzip packed.")
        body = member.unused_data
        if not body:
            return content
    raise RequestRefusedError(400, f"A packed body may have up to {MAX_MEMBERS} members.")

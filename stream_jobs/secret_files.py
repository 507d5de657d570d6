"""Secrets in files of their own: read when they are needed, and told to nobody."""

from __future__ import annotations

import os
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from stat import S_IWOTH

MAX_BYTES = 65_536


class AccessError(Exception):
    """Settings by which nothing can be reached; the message names the variable and says what it must be."""


def secret(named_by: str, path: Path) -> str:
    """A file's text without the newline at its end.

    Raises:
        AccessError: it cannot be read, is empty, or could have been written by anybody.

    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(MAX_BYTES + 1)
        text = content.decode().rstrip("\r\n")
    except OSError as error:
        raise AccessError(
            f"{named_by} names {path}, which cannot be read ({error.strerror})"
        ) from None
    except UnicodeDecodeError:
        raise AccessError(f"{named_by} names {path}, which is not text") from None
    if mode & S_IWOTH:
        raise AccessError(f"{named_by} names {path}, which everybody may write: chmod o-w")
    if not text.strip() or len(content) > MAX_BYTES:
        raise AccessError(f"{named_by} names {path}, which is empty or has over {MAX_BYTES} bytes")
    return text


def misspelt(
    environment: Mapping[str, str], prefixes: tuple[str, ...], known: Sequence[str]
) -> Iterator[str]:
    """Of each variable that begins as a setting and is none, that it is none, and the nearest that is."""
    for name in sorted(environment):
        if name.startswith(prefixes) and name not in known:
            near = get_close_matches(name, known, n=1)
            yield f"{name} is no setting" + (f"; did you mean {near[0]}?" if near else "")


def expiry_told(certificate: str) -> str:
    """That the certificate in this PEM file has expired; else, and for no file, nothing."""
    decode = getattr(getattr(ssl, "_ssl", None), "_test_decode_cert", None)
    if (
        not certificate or decode is None
    ):  # private to the interpreter: without it, TLS itself tells
        return ""
    try:
        until_s = ssl.cert_time_to_seconds(decode(certificate)["notAfter"])
    except (OSError, KeyError, ValueError):
        return ""
    left_s = until_s - time.time()
    instant = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(until_s))
    return f"our certificate {certificate} has expired at {instant}" if left_s < 0 else ""


def readable(named_by: str, path: str) -> None:
    """Raise AccessError unless the file can be opened."""
    try:
        Path(path).open("rb").close()
    except OSError as error:
        raise AccessError(
            f"{named_by} names {path}, which cannot be read ({error.strerror})"
        ) from None

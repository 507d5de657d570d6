"""What `./dev erase` is told of the local stack: its Pinot, the Java that it runs on, and the key of the pseudonyms."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path

from local_stack.java import require_java_home
from local_stack.pinot_home import pinot_home
from local_stack.settings import StackSettings

KEY_BYTES = 32


def arguments(settings: StackSettings, environment: Mapping[str, str]) -> list[str]:
    """The options of `python -m stream_jobs.erasure`."""
    java = require_java_home(environment) / "bin" / "java"
    return [
        *("--controller", settings.pinot_controller_url, "--broker", settings.pinot_broker_url),
        *("--java", str(java), "--classpath", pinot_home(settings).classpath),
        *("--key", str(key_of(settings))),
        *(("--archive", str(settings.archive)) if settings.archive.is_dir() else ()),
    ]


def key_of(settings: StackSettings) -> Path:
    """The key, made once for as long as the data lives: another one would make other pseudonyms."""
    path = settings.erasure_key
    if not path.is_file():
        # Whole or not at all.
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_hex(KEY_BYTES))
        fresh.rename(path)
    return path

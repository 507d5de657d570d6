"""Has Pinot's own classes rewrite segments, in one JVM, whose start costs more than most segments."""

from __future__ import annotations

import json
import subprocess
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

SCRIPT: Final = Path(__file__).with_name("rewrite_segment.groovy")
# What Pinot and its Groovy look into that Java 17 closes.
OPENED: Final = ("java.lang", "java.nio", "java.util", "java.util.regex", "sun.nio.ch")
EXPORTED: Final = ("--add-exports", "java.base/jdk.internal.ref=ALL-UNNAMED")
ANSWER: Final = '{"rewritten"'
SAID_LINES: Final = 40


class RewriteError(Exception):
    """A segment could not be rewritten; the message has the end of what the JVM said."""


class Jvm:
    """`classpath` is that of the Pinot that runs, `java` a Java 17; it starts with the first segment, and `close` ends it.

    It runs in `folder`, since Pinot's jars have it write a log where it stands.
    """

    def __init__(self, java: Path, classpath: str, heap: str, folder: Path) -> None:
        opened = [each for p in OPENED for each in ("--add-opens", f"java.base/{p}=ALL-UNNAMED")]
        options = [f"-Xmx{heap}", "-XX:+UseSerialGC", "-Dfile.encoding=UTF-8", *opened, *EXPORTED]
        # What it leaves, if it is killed, goes with the folder: it holds account ids.
        options.append(f"-Djava.io.tmpdir={folder.absolute()}")
        program = ["-cp", classpath, "groovy.ui.GroovyMain", str(SCRIPT)]
        self._command = [str(java), *options, *program]
        self._folder = folder
        self._running: subprocess.Popen[str] | None = None

    def rewrite(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        """Have one segment rewritten; asked over standard input, so that no id is in a list of processes."""
        running = self._running or self._start()
        assert running.stdin is not None
        assert running.stdout is not None
        said: deque[str] = deque(maxlen=SAID_LINES)
        try:
            running.stdin.write(json.dumps(asked) + "\n")
            running.stdin.flush()
        except OSError as failure:
            said.append(str(failure))
        for line in running.stdout:
            if line.startswith(ANSWER):
                answer: Mapping[str, Any] = json.loads(line)
                return answer
            said.append(line)
        raise RewriteError("a segment could not be rewritten:\n" + "".join(said))

    def close(self) -> None:
        """End the JVM, if one was started."""
        if self._running:
            self._running.kill()
            self._running.communicate()

    def _start(self) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        self._running = subprocess.Popen(
            self._command,
            stdin=pipe,
            stdout=pipe,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            cwd=self._folder,
        )
        return self._running

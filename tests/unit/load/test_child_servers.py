"""What a benchmark has started ends with it, also when it is killed."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from local_stack import processes
from local_stack.settings import CHECKOUT

PARENT = """
import subprocess, sys, time
from tests.load.child_servers import end_when_told, tied
end_when_told()
child = subprocess.Popen(
    [sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True, preexec_fn=tied
)
try:
    print(child.pid, flush=True)
    time.sleep(60)
finally:
    print("left in order", flush=True)
"""


@pytest.mark.parametrize(
    ("by", "last_words"), [(signal.SIGKILL, ""), (signal.SIGTERM, "left in order\n")]
)
def test_a_server_ends_with_the_benchmark_that_started_it(
    by: signal.Signals, last_words: str
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = processes.identify(int(parent.stdout.readline()))
        assert child is not None
        parent.send_signal(by)
        assert parent.stdout.read() == last_words
    give_up_s = time.monotonic() + 20
    while child.alive():
        assert time.monotonic() < give_up_s, "it runs on"
        time.sleep(0.02)

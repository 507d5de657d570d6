"""What is done before any part starts, and after a stack that is gone: downloads, ports, leftovers."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from local_stack import erasing, health, jars, processes, run_file
from local_stack.java import find_java_home, require_java_home
from local_stack.settings import StackSettings

UP_LOG = "up.log"


class StackError(Exception):
    """The stack cannot start; the message says why and what to do."""


def prepare(
    settings: StackSettings, environment: Mapping[str, str], tell: Callable[[str], None]
) -> None:
    """Fetch the jars that are missing, and make the key of erasures if the job needs one.

    Raises:
        StackError, jars.JarsError, JavaMissingError: each says what to install or do.

    """
    if any(character.isspace() for character in f"{settings.state}{settings.downloads}"):
        raise StackError(
            f"The path {settings.state} holds a space, which Flink's scripts cannot take: "
            "move the checkout, or name another folder with STACK_STATE=..."
        )
    wanted = to_fetch(settings)
    if wanted:
        jars.fetch(wanted, settings.jars, require_java_home(environment), environment, tell)
    for name in jars.BROWSER_FILES:
        jars.unpack(name, settings.jars, settings.downloads / name)
    if settings.erasure_arguments:
        erasing.key_of(settings)


def to_fetch(settings: StackSettings) -> list[str]:
    """The sets of jars that are to be fetched: not Pinot's where another Pinot is named."""
    own = "pinot" if settings.pinot_home else ""
    return [name for name in jars.missing(settings.jars) if name != own]


def prepare_pages(
    settings: StackSettings, environment: Mapping[str, str], tell: Callable[[str], None]
) -> bool:
    """Fetch just what browsers load; whether it is here. Pages that lack theirs say how to get it."""
    wanted = _not_unpacked(settings)
    home = find_java_home(environment)
    if home is not None and (unfetched := [n for n in jars.missing(settings.jars) if n in wanted]):
        try:
            jars.fetch(unfetched, settings.jars, home, environment, tell)
        except jars.JarsError as problem:
            tell(str(problem).partition("\n")[0])
    return not _not_unpacked(settings)


def _not_unpacked(settings: StackSettings) -> list[str]:
    """The sets whose files are not all there, though what was fetched has been unpacked."""
    return [
        name
        for name in jars.BROWSER_FILES
        if not jars.unpack(name, settings.jars, settings.downloads / name)
    ]


def clean_up(settings: StackSettings) -> list[str]:
    """Kill what a stack that is gone left running; return a line for each process.

    Only call this when no supervisor is alive.
    """
    run = run_file.read(settings.run_file)
    killed = processes.kill_owned(str(settings.run_file))
    if run is not None:
        processes.end_groups([p.process.pid for p in run.parts.values() if p.process.alive()], 0)
    settings.run_file.unlink(missing_ok=True)
    return killed


def put_logs_away(settings: StackSettings) -> None:
    """Keep the parts' logs of the run before as `<part>.log.1`, and let this run begin new ones."""
    for log in settings.logs.glob("*.log"):
        if log.name != UP_LOG:  # a detached start is writing to it
            log.replace(log.with_suffix(".log.1"))


def refuse_taken_ports(settings: StackSettings, *, embedded: bool, observe: bool = False) -> None:
    """Refuse to start while another program has one of our ports.

    Raises:
        StackError: names every taken port and the setting that moves ours.

    """
    ports = settings.ports()
    if embedded:
        ports = {"STACK_GATEWAY_PORT": settings.gateway_port}
    ports.pop("STACK_PROMETHEUS_PORT", None)
    if observe:
        ports["STACK_PROMETHEUS_PORT"] = settings.prometheus_port
    lines = []
    for name, port in ports.items():
        try:
            if health.port_taken(settings.host, port):
                lines.append(
                    f"Port {port} is taken by another program: free it, or choose another with {name}=…"
                )
        except OSError as problem:
            lines.append(
                f"Port {port} cannot be used ({problem.strerror}): choose another with {name}=…"
            )
    if lines:
        raise StackError("\n".join(lines))


def wait_stopped(settings: StackSettings, limit_s: float) -> bool:
    """Wait until a supervisor that was told to stop is gone."""
    deadline = time.monotonic() + limit_s
    while run_file.is_locked(settings.run_file):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True

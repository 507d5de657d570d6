"""`./dev images`: the container images of what runs on Kubernetes, by docker, podman or buildah, whichever is there."""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from local_stack import jars, locks, sbom
from local_stack.java import JavaMissingError, require_java_home
from local_stack.settings import CHECKOUT, StackSettings

BUILDERS = ("docker", "podman", "buildah")
USAGE = 2


@dataclass(frozen=True, slots=True)
class Image:
    """One image: its Containerfile, the target in it, and the sets of jars that it holds."""

    name: str
    file: str
    target: str = ""
    jars: tuple[str, ...] = ()
    demo: bool = False


IMAGES = (
    Image("gateway", "gateway/Containerfile", jars=tuple(jars.BROWSER_FILES)),
    Image("tools", "stream_jobs/Containerfile", "tools"),
    Image("job", "stream_jobs/Containerfile", "job", ("flink",)),
    Image("kafka", "local_stack/Containerfile", "kafka", ("kafka",), demo=True),
    Image("pinot", "local_stack/Containerfile", "pinot", ("pinot",), demo=True),
)


class ImagesError(Exception):
    """They could not be built; the message says what to do."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: built; 1: not, and why; 2: usage, or no builder."""
    options = _parser().parse_args(arguments)
    chosen = [each for each in IMAGES if _is_wanted(each, options)]
    try:
        builder = shlex.split(options.builder) or find_builder(shutil.which)
        for name in locks.write():
            print(f"{name} changed", flush=True)
        _fetch([name for image in chosen for name in image.jars])
        for image in chosen:
            _tell_contents(image, options)
            _build(image, builder, options)
    except (ImagesError, jars.JarsError, locks.LockError, JavaMissingError) as problem:
        print(problem, file=sys.stderr)
        return USAGE if isinstance(problem, NoBuilderError) else 1
    return 0


class NoBuilderError(ImagesError):
    """None of the known builders is on the path."""


def find_builder(which: Callable[[str], str | None]) -> list[str]:
    """The command of the first builder that is there; raises NoBuilderError."""
    found = next((name for name in BUILDERS if which(name)), None)
    if found is None:
        raise NoBuilderError(
            f"None of {', '.join(BUILDERS)} is here, and one of them builds the images. "
            "Install one (Debian: apt-get install -y buildah), or name yours: --builder 'COMMAND'."
        )
    return [found]


def build_command(
    image: Image, builder: Sequence[str], options: argparse.Namespace, revision: str
) -> list[str]:
    """The builder's command for one image."""
    values = {"VERSION": options.tag, "REVISION": revision}
    if options.base:
        values["BASE"] = options.base
    command = [*builder, "build", "-f", image.file, "-t", reference(image, options)]
    if image.target:
        command += ["--target", image.target]
    for name, value in values.items():
        command += ["--build-arg", f"{name}={value}"]
    return [*command, *options.build_option, "."]


def reference(image: Image, options: argparse.Namespace) -> str:
    """What the image is called: registry, folder, name and tag."""
    registry = f"{options.registry.rstrip('/')}/" if options.registry else ""
    return f"{registry}payment-analytics/{image.name}:{options.tag}"


def version() -> str:
    """The checkout's version, which is the images' tag and the chart's `appVersion`."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    return str(project["version"])


def _build(image: Image, builder: Sequence[str], options: argparse.Namespace) -> None:
    began = time.monotonic()
    name = reference(image, options)
    print(f"building {name} …", flush=True)
    _run(build_command(image, builder, options, _revision()))
    print(f"built {name} in {time.monotonic() - began:.0f} s", flush=True)
    if options.save:
        options.save.mkdir(parents=True, exist_ok=True)
        archive = options.save.resolve() / f"{image.name}.tar"
        archive.unlink(missing_ok=True)
        _run(_save_command(builder, name, archive))
        print(f"saved {archive}: {archive.stat().st_size / 1e6:.0f} MB", flush=True)


def _tell_contents(image: Image, options: argparse.Namespace) -> None:
    """Write the image's bill of materials where it is wanted."""
    if not options.sbom:
        return
    lock = CHECKOUT / f"requirements-{image.name}.lock"
    folder = StackSettings().jars
    held = [jar for name in image.jars for jar in (folder / name).glob("*.jar")]
    options.sbom.mkdir(parents=True, exist_ok=True)
    path = options.sbom / f"{image.name}.cdx.json"
    path.write_text(sbom.text(image.name, options.tag, lock if lock.exists() else None, held))
    print(f"wrote {path}", flush=True)


def _save_command(builder: Sequence[str], name: str, archive: Path) -> list[str]:
    if any(Path(word).name == "buildah" for word in builder):
        return [*builder, "push", "-q", name, f"docker-archive:{archive}:{name}"]
    return [*builder, "save", "-o", str(archive), name]


def _run(command: Sequence[str]) -> None:
    said = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, errors="replace")
    if said.returncode != 0:
        end = "\n".join((said.stdout + said.stderr).splitlines()[-30:])
        raise ImagesError(f"{shlex.join(command)} failed with {said.returncode}:\n{end}")


def _fetch(names: Sequence[str]) -> None:
    """The jars that the images hold, as `./dev up` fetches them; `.local` is where they are copied from."""
    stack = StackSettings()
    environment: Mapping[str, str] = os.environ
    wanted = [name for name in dict.fromkeys(names) if name in jars.missing(stack.jars)]
    if wanted:
        java = require_java_home(environment)
        jars.fetch(wanted, stack.jars, java, environment, lambda line: print(line, flush=True))
    for name in jars.BROWSER_FILES.keys() & set(names):
        if not jars.unpack(name, stack.jars, stack.downloads / name):
            raise ImagesError(f"{name} is not whole: remove .local/jars/{name}, try again.")


def _revision() -> str:
    git = shutil.which("git")
    if git is None:
        return "unknown"
    said = subprocess.run([git, "rev-parse", "HEAD"], cwd=CHECKOUT, capture_output=True, text=True)
    return said.stdout.strip() or "unknown"


def _is_wanted(image: Image, options: argparse.Namespace) -> bool:
    return image.name in options.name if options.name else options.demo or not image.demo


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./dev images",
        description="Builds the container images that charts/payment-analytics runs.",
        epilog="They are called [REGISTRY/]payment-analytics/NAME:TAG. docs/kubernetes.md says what each holds.",
    )
    known = [each.name for each in IMAGES]
    parser.add_argument(
        "name",
        nargs="*",
        choices=[*known, []],
        metavar="NAME",
        help=f"one of {', '.join(known)}; without any, all but the demo's",
    )
    add = parser.add_argument
    add("--demo", action="store_true", help="the demo's Kafka and Pinot as well")
    add("--tag", default=version(), help="their tag (%(default)s)")
    add("--registry", default="", help="what their names begin with")
    add("--base", default="", metavar="IMAGE", help="a Debian or Python image (debian:12-slim)")
    add("--builder", default="", metavar="COMMAND", help=f"else {', '.join(BUILDERS)}")
    add(
        "--build-option",
        action="append",
        default=[],
        metavar="OPTION",
        help="handed to the builder's build; repeatable, as --build-option=--no-cache",
    )
    add("--sbom", type=Path, metavar="FOLDER", help="write what each holds, as CycloneDX JSON")
    add("--save", type=Path, metavar="FOLDER", help="write each as an archive to load into nodes")
    return parser


if __name__ == "__main__":
    sys.exit(main())

"""What `./dev images` has its builder do; nothing is built here."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_stack import images
from local_stack.settings import CHECKOUT


def command(*arguments: str, name: str = "job") -> list[str]:
    options = images._parser().parse_args(arguments)
    image = next(each for each in images.IMAGES if each.name == name)
    return images.build_command(image, ["podman"], options, "abc123")


def test_docker_is_taken_before_the_others() -> None:
    there = {"docker": "/usr/bin/docker", "buildah": "/usr/bin/buildah"}
    assert images.find_builder(there.get) == ["docker"]


def test_without_a_builder_the_message_says_what_to_install() -> None:
    with pytest.raises(images.NoBuilderError, match=r"apt-get install -y buildah.*--builder"):
        images.find_builder(lambda _: None)


def test_a_command_names_file_target_tag_version_revision_and_base() -> None:
    said = command("--tag", "1.2.3", "--registry", "registry.example/team/", "--base", "python:x")
    assert said[:6] == [
        *("podman", "build", "-f", "stream_jobs/Containerfile"),
        *("-t", "registry.example/team/payment-analytics/job:1.2.3"),
    ]
    assert said[6:8] == ["--target", "job"]
    given = [said[at + 1] for at, word in enumerate(said) if word == "--build-arg"]
    assert given == ["VERSION=1.2.3", "REVISION=abc123", "BASE=python:x"]
    assert said[-1] == "."


def test_options_for_the_builder_are_handed_on() -> None:
    assert command("--build-option=--no-cache")[-2:] == ["--no-cache", "."]


def test_the_demos_images_are_built_when_they_are_asked_for() -> None:
    def wanted(*arguments: str) -> list[str]:
        options = images._parser().parse_args(arguments)
        return [each.name for each in images.IMAGES if images._is_wanted(each, options)]

    assert wanted() == ["gateway", "tools", "job"]
    assert wanted("--demo") == ["gateway", "tools", "job", "kafka", "pinot"]
    assert wanted("pinot") == ["pinot"]


@pytest.mark.parametrize("image", images.IMAGES, ids=lambda each: each.name)
def test_every_image_has_its_containerfile_its_target_and_no_root(image: images.Image) -> None:
    text = (CHECKOUT / image.file).read_text()
    assert f" AS {image.target}\n" in text or not image.target
    assert "\nARG BASE=" in text
    users = [line.split()[1] for line in text.splitlines() if line.startswith("USER ")]
    assert set(users) <= {"10001:10001", "9999:9999"}
    assert users


def test_every_folder_that_an_image_copies_is_sent_to_the_builder() -> None:
    sent = {
        line.removeprefix("!").rstrip("/")
        for line in (CHECKOUT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    copied = {
        word
        for file in {each.file for each in images.IMAGES}
        for line in (CHECKOUT / file).read_text().splitlines()
        if line.startswith("COPY ") and "--from=" not in line
        for word in line.split()[1:-1]
    }
    assert len(copied) > 8
    unsent = [
        each
        for each in copied
        if not any(Path(each).match(name) or each.startswith(f"{name}/") for name in sent)
    ]
    assert unsent == []

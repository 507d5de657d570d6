"""The settings of an environment and of the files that it names: the only module that reads either."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from pydantic import ValidationError

from gateway.process import file_mode
from gateway.settings.checked import Settings
from gateway.settings.kinds import (
    PREFIX,
    SettingsError,
    allowed,
    file_variable,
    is_confidential,
    variable,
)
from gateway.settings.masks import shown

MAX_FILE_BYTES = 65_536
MAX_SHOWN = 100
_BY_KUBERNETES = re.compile(r"SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?")


@dataclass(frozen=True, slots=True)
class Given:
    """A setting's text, out of its variable or of the file that is named."""

    text: str
    file: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """The settings, and what was given of them, by name; the others have their defaults."""

    settings: Settings
    given: Mapping[str, Given]


def read(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of an environment; raises `SettingsError` with all that is wrong."""
    return reading_of(environment).settings


def reading_of(environment: Mapping[str, str] = os.environ) -> Reading:
    """The same, with what was given; unset and empty variables keep their defaults."""
    faults = list(_unknown(environment))
    given: dict[str, Given] = {}
    for name in Settings.model_fields:
        try:
            found = _given(name, environment)
        except SettingsError as error:
            faults += error.faults
        else:
            given |= {name: found} if found is not None else {}
    try:
        settings = _checked(given)
    except SettingsError as error:
        raise SettingsError(*faults, *error.faults) from None
    if faults:
        raise SettingsError(*faults)
    return Reading(settings, given)


def keys_file(environment: Mapping[str, str] = os.environ) -> str:
    """The API keys' file, whatever the other settings are; empty if none is named."""
    return environment.get(variable("auth_keys"), "").strip()


def _unknown(environment: Mapping[str, str]) -> Iterator[str]:
    """A fault for each variable that is named like a setting and is none."""
    known = {
        each.removeprefix(PREFIX): each
        for name in Settings.model_fields
        for each in _variables(name)
    }
    for name in sorted(environment):
        behind = name.removeprefix(PREFIX)
        if behind == name or behind in known:
            continue
        plain = behind.upper().removesuffix("_FILE")
        near = [plain] if plain in known else get_close_matches(behind.upper(), known, n=1)
        hint = f"; did you mean {known[near[0]]}?" if near else ""
        if _BY_KUBERNETES.fullmatch(behind):
            hint = (
                "; Kubernetes sets it where a Service is named gateway, "
                "unless the pod has enableServiceLinks: false"
            )
        yield f"{name} is no setting{hint}"


def _variables(name: str) -> tuple[str, ...]:
    """The variables that a setting can be given by."""
    by_file = is_confidential(Settings.model_fields[name])
    return (variable(name), file_variable(name)) if by_file else (variable(name),)


def _given(name: str, environment: Mapping[str, str]) -> Given | None:
    """What is given of a setting; raises `SettingsError` for a file that cannot be read."""
    texts = {each: environment.get(each, "").strip() for each in _variables(name)}
    if len(texts) > 1 and all(texts.values()):
        raise SettingsError(f"{' and '.join(texts)} are both set: one of them is enough")
    file = texts.get(file_variable(name))
    if file:
        return Given(_content(file_variable(name), Path(file)), file)
    return Given(texts[variable(name)]) if texts[variable(name)] else None


def _content(named_by: str, path: Path) -> str:
    """A file's text without the newline at its end; what is in it is told to nobody."""
    try:
        with path.open("rb") as file:
            refusal = file_mode.refusal(os.fstat(file.fileno()))
            content = file.read(MAX_FILE_BYTES + 1)
        text = content.decode().rstrip("\r\n")
    except OSError as error:
        wrong = f"cannot be read ({error.strerror})"
    except UnicodeDecodeError:
        wrong = "is not text"
    else:
        if refusal is not None:
            raise SettingsError(f"{named_by} names {str(path)!r}, which {refusal}")
        if text.strip() and len(content) <= MAX_FILE_BYTES:
            return text
        wrong = f"has over {MAX_FILE_BYTES} bytes" if text.strip() else "is empty"
    raise SettingsError(f"{named_by} names {str(path)!r}, which {wrong}")


def _checked(given: Mapping[str, Given]) -> Settings:
    """The settings; raises `SettingsError` with every fault, in our own words."""
    try:
        return Settings.model_validate({name: each.text for name, each in given.items()})
    except ValidationError as error:
        wrong = {str(each["loc"][0]) for each in error.errors()}
    faults = [_fault(name, given[name]) for name in given if name in wrong]
    try:
        _checked({name: each for name, each in given.items() if name not in wrong})
    except SettingsError as error:
        # What the others are together counts only where none of the wrong ones has a part in it.
        named = re.compile("|".join(rf"\b{variable(name)}\b" for name in wrong))
        faults += [each for each in error.faults if not named.search(each)]
    raise SettingsError(*faults)


def _fault(name: str, given: Given) -> str:
    setting = Settings.model_fields[name]
    if given.file:
        named = f"{file_variable(name)} names {given.file!r}, whose content"
        return f"{named} must be {allowed(setting)}"
    value = shown(setting, given.text)[:MAX_SHOWN]
    return f"{variable(name)} is {value!r}: it must be {allowed(setting)}"

"""The settings told to people: the table in docs/settings.md, and what a gateway would run with."""

from __future__ import annotations

from gateway.settings.checked import Settings
from gateway.settings.kinds import file_variable, is_confidential, variable
from gateway.settings.masks import shown
from gateway.settings.reading import Reading


def configuration(reading: Reading) -> str:
    """Each setting's value and where it is from, a line each; secrets are masked."""
    lines = []
    for name, setting in Settings.model_fields.items():
        given = reading.given.get(name)
        origin = "default" if given is None else given.file and f"file {given.file}"
        value = shown(setting, getattr(reading.settings, name))
        assignment = f"{variable(name)}={value if value.isprintable() else repr(value)}"
        lines.append(f"{assignment:<60} # {origin or 'environment'}")
    return "\n".join(lines)


def markdown_table() -> str:
    """All settings as a Markdown table, for docs/settings.md."""
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    for name, setting in Settings.model_fields.items():
        default = shown(setting, setting.default)
        by_file = f" Or in the file that `{file_variable(name)}` names."
        meaning = f"{setting.description}{by_file if is_confidential(setting) else ''}"
        lines.append(f"| `{variable(name)}` | {f'`{default}`' if default else ''} | {meaning} |")
    return "\n".join(lines) + "\n"

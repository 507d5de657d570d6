"""The settings: `every_setting` lists them, `checked` says what must hold, `reading` takes them from the environment."""

from gateway.settings.checked import Settings
from gateway.settings.kinds import SettingsError, variable
from gateway.settings.reading import read

__all__ = ["Settings", "SettingsError", "read", "variable"]

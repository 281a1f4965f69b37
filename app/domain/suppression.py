"""Which numbers must not be contacted: on which channels, and how we learned it."""

from enum import StrEnum


class SuppressionScope(StrEnum):
    """Which channels a suppression closes."""

    ALL = "all"
    VOICE = "voice"
    SMS = "sms"


class SuppressionSource(StrEnum):
    """How we learned that a number must not be contacted."""

    KEYPRESS = "keypress"
    SPOKEN = "spoken"
    STOP_MESSAGE = "stop_message"
    MANUAL = "manual"
    IMPORT = "import"
    CARRIER = "carrier"
    API = "api"

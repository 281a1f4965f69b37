"""Which numbers must not be contacted: on which channels, and how we learned it."""

from enum import StrEnum

from app.domain.campaign import Channel


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


def scope_of(channel: Channel) -> SuppressionScope:
    """Return the scope of suppressions that a campaign on that channel keeps to, beside those of all channels."""
    return SuppressionScope.SMS if channel is Channel.SMS else SuppressionScope.VOICE


def scopes_of(channel: Channel) -> frozenset[SuppressionScope]:
    """Return the scopes of the suppressions that close the channel."""
    return frozenset({SuppressionScope.ALL, scope_of(channel)})

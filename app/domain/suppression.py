"""Suppressions: numbers that must not be contacted. Their scope and source."""

from enum import StrEnum

from app.domain.campaign import Channel


class SuppressionScope(StrEnum):
    """The channels that a suppression blocks."""

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
    """Return the channel's own scope. Suppressions of scope `ALL` block it too."""
    return SuppressionScope.SMS if channel is Channel.SMS else SuppressionScope.VOICE


def scopes_of(channel: Channel) -> frozenset[SuppressionScope]:
    """Return the scopes that block the channel."""
    return frozenset({SuppressionScope.ALL, scope_of(channel)})

"""A rule by which people of the address book get into a campaign: how long it lasts, and where it is."""

from enum import StrEnum


class AudienceMode(StrEnum):
    """How people of the address book get into a campaign by a rule."""

    SNAPSHOT = "snapshot"
    """Whoever matches now."""
    STANDING = "standing"
    """Keep adding who matches, while the campaign runs too, until a person ends it."""


class AudienceStatus(StrEnum):
    """Where an audience is."""

    ADDING = "adding"
    STANDING = "standing"
    """Everyone who matched is in; it is looked again at `next_at`."""
    DONE = "done"
    ENDED = "ended"
    """By a person, or because its campaign is over."""

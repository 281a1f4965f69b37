"""An audience: a rule that adds people of the address book to a campaign. Its modes and states."""

from enum import StrEnum


class AudienceMode(StrEnum):
    """Whether the rule is applied once or repeatedly."""

    SNAPSHOT = "snapshot"
    """Adds those who match now, once."""
    STANDING = "standing"
    """Keeps adding those who match, also while the campaign runs, until a person ends it."""


class AudienceStatus(StrEnum):
    """The state of an audience."""

    ADDING = "adding"
    STANDING = "standing"
    """All who matched are added; it looks again at `next_at`."""
    DONE = "done"
    ENDED = "ended"
    """Ended by a person, or because its campaign is over."""

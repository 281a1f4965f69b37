"""A bulk change: an action on all contacts that match a filter. Its actions and states."""

from enum import StrEnum


class BulkAction(StrEnum):
    """What is done to each contact."""

    TAG = "tag"
    UNTAG = "untag"
    DELETE = "delete"
    SUPPRESS = "suppress"
    CONSENT = "consent"


class BulkStatus(StrEnum):
    """The state of a bulk change."""

    RUNNING = "running"
    COMPLETED = "completed"
    CANCELLED = "cancelled"

"""A change of everyone whom a filter means: what is done, and where it is."""

from enum import StrEnum


class BulkAction(StrEnum):
    """What is done to each of them."""

    TAG = "tag"
    UNTAG = "untag"
    DELETE = "delete"
    SUPPRESS = "suppress"
    CONSENT = "consent"


class BulkStatus(StrEnum):
    """Where a bulk change is."""

    RUNNING = "running"
    COMPLETED = "completed"
    CANCELLED = "cancelled"

"""An import's states."""

from enum import StrEnum


class ImportStatus(StrEnum):
    """Where an import is."""

    READING = "reading"
    """Stored; a workbook or JSON that a worker turns into a table."""
    UPLOADED = "uploaded"
    """Stored and sampled; the mapping may be changed."""
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNDOING = "undoing"
    UNDONE = "undone"
    """What it did has been taken back, but for whom it says."""

"""The states of an import."""

from enum import StrEnum


class ImportStatus(StrEnum):
    """The state of an import."""

    READING = "reading"
    """Stored; a worker converts a workbook or JSON file into a table."""
    UPLOADED = "uploaded"
    """Stored and profiled; the mapping can be changed."""
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNDOING = "undoing"
    UNDONE = "undone"
    """Its changes are reversed; the import counts the contacts that could not be."""

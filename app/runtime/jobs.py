"""The jobs: name, queue, and the row that each is for.

Code that enqueues a job and the worker that runs it share these declarations.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class QueueName(StrEnum):
    """The queues. An arq worker reads one of them, so that dialing never waits behind long work."""

    DIAL = "callsheet:dial"
    BULK = "callsheet:bulk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Work that a worker does for one row. A job carries only the row's id."""

    name: str
    """The name under which the worker registers its function."""
    noun: str
    """The prefix of the job's id."""
    parameter: str
    """The parameter of the worker's function for the row's id."""
    queue: QueueName = QueueName.BULK

    def id_for(self, row_id: int) -> str:
        """Return the job's id. It allows one job per row at a time."""
        return f"{self.noun}:{row_id}"


RUN_IMPORT: Final = Job(name="run_import", noun="import", parameter="import_id")
ADVANCE_AUDIENCE: Final = Job(name="advance_audience", noun="audience", parameter="audience_id")
ADVANCE_BULK_CHANGE: Final = Job(name="advance_bulk_change", noun="bulk", parameter="bulk_id")
FILL_RUN: Final = Job(name="fill_run", noun="run", parameter="run_id")

JOBS: Final = (RUN_IMPORT, ADVANCE_AUDIENCE, ADVANCE_BULK_CHANGE, FILL_RUN)

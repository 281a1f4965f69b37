"""The jobs there are: what each is called, which queue it waits in, and which row it is about.

Those who ask for a job and the worker that does it take all of that from here.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class QueueName(StrEnum):
    """An arq worker reads one queue: dialing is never behind long work."""

    DIAL = "callsheet:dial"
    BULK = "callsheet:bulk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Work that a worker does for one row. It carries the row's id alone."""

    name: str
    """What the worker registers its function as."""
    noun: str
    """What the row is, in the job's own id."""
    parameter: str
    """What the worker's function calls the row's id."""
    queue: QueueName = QueueName.BULK

    def id_for(self, row_id: int) -> str:
        """Return the job's id: one job at a time for each row."""
        return f"{self.noun}:{row_id}"


RUN_IMPORT: Final = Job(name="run_import", noun="import", parameter="import_id")
ADVANCE_AUDIENCE: Final = Job(name="advance_audience", noun="audience", parameter="audience_id")
ADVANCE_BULK_CHANGE: Final = Job(name="advance_bulk_change", noun="bulk", parameter="bulk_id")

JOBS: Final = (RUN_IMPORT, ADVANCE_AUDIENCE, ADVANCE_BULK_CHANGE)

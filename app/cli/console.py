"""The output of the commands: colour and spinners on a terminal, else plain lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def complain(message: str) -> None:
    """Print one line on standard error."""
    err.print(f"callsheet: {message}", markup=False, style="red")


@contextmanager
def phases() -> Iterator[Callable[[str], None]]:
    """Yield a function that shows the current phase: in a spinner on a terminal, else as a line."""
    if not out.is_terminal:
        yield lambda phase: out.print(phase, markup=False)
        return
    with out.status("Starting") as status:
        yield status.update


def table(*columns: str, rows: list[list[str]]) -> None:
    """Print a table on a terminal, else one line per row with two spaces between the columns."""
    if not out.is_terminal:
        for row in rows:
            out.print("  ".join(row), markup=False)
        return
    shown = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        shown.add_row(*row)
    out.print(shown)

"""`demo` and `bench`: a whole campaign, and benchmarks, each on its own servers and simulated carrier."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Final

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from app.cli.console import err, out
from app.cli.errors import CommandError

BENCHMARKS: Final[Mapping[str, str]] = {
    "dial": "dial",
    "claim": "claim",
    "pacing": "pacing",
    "concurrency": "concurrency",
    "refill": "refill",
    "start": "start",
    "webhooks": "webhooks",
    "recovery": "recovery",
    "memory": "memory",
    "clock": "clock",
    "import": "imports",
    "contacts": "contacts",
    "zones": "zones",
}
"""Name of a benchmark -> its module in tests.bench. Its `run` returns the figures."""

AsJson = Annotated[bool, typer.Option("--json", help="End with one line of JSON.")]


def demo(
    *,
    contacts: Annotated[int, typer.Option(min=1, max=150_000, help="How many people to call.")] = 200,
    as_json: AsJson = False,
) -> None:
    """Run a whole campaign on a simulated carrier. Exit code 0 only if every contact is accounted for."""
    from app.cli.demo import DemoTooSlow, run_demo

    with _shown() as (say, progress):
        try:
            result = run_demo(contacts, say=say, progress=progress)
        except DemoTooSlow as error:
            raise CommandError(str(error)) from error
    if as_json:
        out.print(result.as_json(), markup=False)
    else:
        statuses = ", ".join(
            f"{count} {status.replace('_', ' ')}" for status, count in result.by_status.items()
        )
        out.print(f"{result.total} contacts in {result.seconds} s: {statuses}.", markup=False)
        out.print(
            f"{result.attempts} attempts, {result.carrier_accepted} at the carrier, "
            f"{result.dialed_twice} dialed twice, {result.lost} lost.",
            markup=False,
        )
    if not result.accounted_for:
        raise typer.Exit(1)


def bench(
    name: Annotated[str, typer.Argument(help=f"One of: {', '.join(BENCHMARKS)}.")], *, as_json: AsJson = False
) -> None:
    """Run a benchmark and its baseline, interleaved in one run. Needs a checkout, with tests/bench."""
    if name not in BENCHMARKS:
        raise CommandError(f"there is no benchmark {name}; there are: {', '.join(BENCHMARKS)}")
    try:
        module = importlib.import_module(f"tests.bench.{BENCHMARKS[name]}")
    except ModuleNotFoundError as error:
        raise CommandError(
            f"{error.name} is missing: benchmarks need a checkout and its development packages (`uv sync`)"
        ) from error
    result = module.run()
    if as_json:
        out.print(json.dumps(result), markup=False)
        return
    for key, value in result.items():
        out.print(f"{key}: {value}", markup=False)


@contextmanager
def _shown() -> Iterator[tuple[Callable[[str], None], Callable[[int, int], None]]]:
    """Yield functions that show the phase and the progress: as a bar on a terminal, else phases as lines on stderr."""
    if not out.is_terminal:
        yield (lambda phase: err.print(phase, markup=False)), (lambda _done, _total: None)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err) as bars:
        task = bars.add_task("Starting", total=None)

        def show(done: int, total: int) -> None:
            bars.update(task, completed=done, total=total)

        yield (lambda phase: bars.update(task, description=phase)), show

"""The `callsheet` command: one file a group of verbs, each importing what it needs only when it runs."""

from __future__ import annotations

import sys

import typer

from app.cli import doctor, people, processes, trials, up
from app.cli.console import complain
from app.errors import OperatorError

app = typer.Typer(
    name="callsheet",
    help="Self-hosted outbound campaigns.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for _group in (up, processes, people, doctor, trials):
    _group.register(app)


def main() -> None:
    """Run the command line. What an operator can put right is told in one line, with exit code 1."""
    try:
        app()
    except OperatorError as error:
        complain(str(error))
        sys.exit(1)

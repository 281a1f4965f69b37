"""The `callsheet` command. Each file has one group of commands, which import what they need only when they run."""

from __future__ import annotations

import errno
import os
import sys
from typing import Final

import typer

from app.cli import doctor, people, processes, trials, up
from app.cli.console import complain
from app.cli.errors import CommandError
from app.domain.text import storable, what_is_wrong
from app.runtime.errors import OperatorError

_OPERATORS_ERRORS: Final = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT}
"""Errors of a file or folder that the operator can correct."""
_OWNER_ONLY: Final = 0o077
"""Only the owner can read the files that commands and their processes write: logs, uploads, personal data."""

app = typer.Typer(
    name="callsheet",
    help="Self-hosted outbound campaigns.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for _command in (
    *(up.up, up.down, up.status),
    *(processes.worker, processes.web, processes.simulate, processes.migrate),
    doctor.doctor,
    *(trials.demo, trials.bench),
):
    app.command()(_command)
people.register(app)


def _refuse_unstorable(arguments: list[str]) -> None:
    """Raise CommandError for an argument that is not UTF-8: Python passes such bytes on as lone surrogates."""
    for argument in arguments:
        if what_is_wrong(argument):
            raise CommandError(f"“{storable(argument)}” is not UTF-8")


def main() -> None:
    """Run the command line. An error that the operator can correct is one line, with exit code 1."""
    os.umask(_OWNER_ONLY)
    try:
        _refuse_unstorable(sys.argv[1:])
        app()
    except OperatorError as error:
        complain(str(error))
        sys.exit(1)
    except OSError as error:
        if error.errno not in _OPERATORS_ERRORS or error.filename is None:
            raise
        complain(f"Cannot use {error.filename}: {error.strerror}")
        sys.exit(1)

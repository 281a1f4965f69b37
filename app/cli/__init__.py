"""The `callsheet` command: one file a group of verbs, each importing what it needs only when it runs."""

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
"""What is wrong with a file or folder, and not with the command."""
_OWNER_ALONE: Final = 0o077
"""What a command and the processes it starts write (logs, uploads, people's data) is for nobody else's eyes."""

app = typer.Typer(
    name="callsheet",
    help="Self-hosted outbound campaigns.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for _group in (up, processes, people, doctor, trials):
    _group.register(app)


def _refuse_unstorable(arguments: list[str]) -> None:
    """Refuse what is no text: Python hands bytes that are not UTF-8 on as halves of characters. Raises CommandError."""
    for argument in arguments:
        if what_is_wrong(argument):
            raise CommandError(f"“{storable(argument)}” is not UTF-8")


def main() -> None:
    """Run the command line. What an operator can put right is told in one line, with exit code 1."""
    os.umask(_OWNER_ALONE)
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

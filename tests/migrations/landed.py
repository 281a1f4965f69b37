"""The migrations there are, and which of them have landed: those may never be edited again."""

import hashlib
from pathlib import Path
from typing import Final

from alembic.script import ScriptDirectory

from app.runtime.migrations import PROJECT
from tests.migrations.row_files import row_file

FROZEN: Final = PROJECT / "alembic" / "frozen.txt"
"""What has landed, as `sha256sum` writes and checks it: each migration, and its file of rows."""
SCRIPTS: Final = {
    script.revision: Path(script.path)
    for script in ScriptDirectory(str(PROJECT / "alembic")).walk_revisions()
}
REVISIONS: Final = tuple(sorted(SCRIPTS))


def frozen() -> dict[str, str]:
    """Return the files that have landed, by path from the project's folder, with the hash they landed with."""
    lines = (line.split(maxsplit=1) for line in FROZEN.read_text().splitlines())
    return {path: digest for digest, path in lines}


def line_of(file: Path) -> str:
    """Return the line of a file, for `frozen.txt`."""
    return f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.relative_to(PROJECT)}"


def files_to_freeze() -> list[Path]:
    """Return every migration with its file of rows."""
    return [file for revision in REVISIONS for file in (SCRIPTS[revision], row_file(revision))]

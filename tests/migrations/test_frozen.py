"""A migration that has landed is never edited or removed: databases may stand at it."""

import hashlib

from app.runtime.migrations import PROJECT
from tests.migrations.landed import files_to_freeze, frozen, line_of


def test_what_has_landed_is_as_it_landed() -> None:
    changed = [path for path, digest in frozen().items() if _digest_of(path) != digest]
    assert not changed, (
        f"{', '.join(changed)} has landed and was edited or removed: take that back, and write a new migration"
    )


def test_every_migration_and_its_rows_are_frozen_when_they_land() -> None:
    missing = [file for file in files_to_freeze() if str(file.relative_to(PROJECT)) not in frozen()]
    assert not missing, "when the migration is final, add to alembic/frozen.txt:\n" + "\n".join(
        line_of(file) if file.exists() else f"({file.name}: uv run python -m tests.migrations.save_rows)"
        for file in missing
    )


def _digest_of(path: str) -> str | None:
    file = PROJECT / path
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.exists() else None

"""A campaign's status is written by one module and a recipient's by one: both ask the domain's tables."""

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, cast

import pytest
from sqlalchemy import true
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.campaign import TransitionNotAllowed
from app.domain.recipient import TRANSITIONS, RecipientStatus
from app.services.recipients.transitions import move_chosen, retry_ended
from tests.support.sources import ROOT, product_modules, texts_of

_OWNERS: Final = {
    "campaign": "app/services/campaigns/transitions.py",
    "recipient": "app/services/recipients/transitions.py",
}
_MODELS: Final = {"Campaign": "campaign", "Recipient": "recipient"}
_HISTORIES: Final = {"CampaignTransition": "campaign", "RecipientTransition": "recipient"}

_UPDATE: Final = re.compile(
    r"\bUPDATE\s+(?:ONLY\s+)?(campaign|recipient)\b(?:\s+(?:AS\s+)?(?!SET\b)\w+)?\s+SET\b(.*?)(?:\bFROM\b|\bWHERE\b|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_STATUS: Final = re.compile(r"(?<![\w.])status\s*=")
_HISTORY: Final = re.compile(r"\bINSERT\s+INTO\s+(campaign|recipient)_transition\b", re.IGNORECASE)


def _by_sql(path: Path) -> Iterator[tuple[str, int]]:
    """Return whose status, or history of it, the SQL of a module writes, and where."""
    for line, text in texts_of(path):
        for table, assigned in _UPDATE.findall(text):
            if _STATUS.search(assigned):
                yield table, line
        for table in _HISTORY.findall(text):
            yield table, line


def _by_objects(path: Path) -> Iterator[tuple[str, int]]:
    """Return the same for what is written by SQLAlchemy's statements and objects."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Call(func=ast.Attribute(attr="values", value=statement), keywords=given) if any(
                keyword.arg in {None, "status"} for keyword in given
            ):
                yield from ((table, node.lineno) for table in _updated(statement))
            case ast.Call(func=ast.Name(id=name)) if name in _HISTORIES:
                yield _HISTORIES[name], node.lineno
            case ast.Call(func=ast.Name(id="insert"), args=[ast.Name(id=name)]) if name in _HISTORIES:
                yield _HISTORIES[name], node.lineno
            case ast.Assign(targets=targets):
                for target in targets:
                    if isinstance(target, ast.Attribute) and target.attr == "status":
                        name = ast.unparse(target.value).split(".")[-1]
                        if name in _OWNERS:
                            yield name, node.lineno
            case _:
                pass


def _updated(statement: ast.expr) -> Iterator[str]:
    for node in ast.walk(statement):
        match node:
            case ast.Call(func=ast.Name(id="update"), args=[ast.Name(id=name)]) if name in _MODELS:
                yield _MODELS[name]
            case _:
                pass


def _writers(path: Path) -> list[tuple[str, int]]:
    return [*_by_sql(path), *_by_objects(path)]


def test_nobody_but_its_owner_writes_the_status_of_a_campaign_or_a_recipient() -> None:
    others = [
        f"{path.relative_to(ROOT)}:{line}: {table}"
        for path in product_modules()
        for table, line in _writers(path)
        if str(path.relative_to(ROOT)) != _OWNERS[table]
    ]
    assert others == [], f"Write it in {_OWNERS}"


@pytest.mark.parametrize(("table", "owner"), sorted(_OWNERS.items()))
def test_the_owner_is_found_to_write_it_by_sql_and_by_objects(table: str, owner: str) -> None:
    assert table in {found for found, _ in _by_sql(ROOT / owner)}
    assert table in {found for found, _ in _by_objects(ROOT / owner)}


@pytest.mark.parametrize(
    "source",
    [
        "A = \"UPDATE recipient SET blocked_by = NULL, status = 'failed' WHERE id = 1\"",
        'A = f"UPDATE campaign c SET status = {B} FROM x"',
        "A = \"WITH x AS (UPDATE recipient r SET status = CASE WHEN a THEN 'failed' ELSE status END)\"",
        'A = "INSERT INTO recipient_transition (old, new) VALUES (1, 2)"',
        "update(Campaign).where(True).values(status=1)",
        "update(Recipient).values(**changes)",
        "insert(RecipientTransition)",
        "CampaignTransition(old=1, new=2)",
        "rows.campaign.status = 1",
    ],
)
def test_a_write_is_found_however_it_is_written(source: str, tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text(source)
    assert _writers(tmp_path / "module.py")


@pytest.mark.parametrize(
    "source",
    [
        "A = \"UPDATE recipient SET blocked_by = NULL WHERE status = 'pending'\"",
        "A = \"UPDATE campaign SET status_reason = '' WHERE id = 1\"",
        "A = \"UPDATE attempt SET status = 'review'\"",
        "update(Campaign).values(name='')",
        "update(Attempt).values(status=1)",
    ],
)
def test_what_writes_no_status_of_theirs_is_none(source: str, tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text(source)
    assert not _writers(tmp_path / "module.py")


class _Untouched:
    """Stands where a session does: to use it at all is the fault."""

    def __getattr__(self, name: str) -> object:
        raise AssertionError(f"the database was asked ({name}) for a move that the table forbids")


_NO_SESSION: Final = cast("AsyncSession", _Untouched())
_NOW: Final = datetime(2026, 12, 1, tzinfo=UTC)
_FORBIDDEN: Final = [
    (old, new) for old in RecipientStatus for new in RecipientStatus if new not in TRANSITIONS[old]
]


@pytest.mark.parametrize(("old", "new"), _FORBIDDEN, ids=str)
async def test_no_move_that_the_table_forbids_reaches_the_database(
    old: RecipientStatus, new: RecipientStatus
) -> None:
    with pytest.raises(TransitionNotAllowed):
        await move_chosen(_NO_SESSION, true(), to=new, out_of={old}, reason="by hand", values={}, now=_NOW)


async def test_who_was_cancelled_is_not_retried() -> None:
    with pytest.raises(TransitionNotAllowed):
        await retry_ended(
            _NO_SESSION, campaign_id=1, run_id=1, statuses={RecipientStatus.CANCELLED}, more=1, now=_NOW
        )

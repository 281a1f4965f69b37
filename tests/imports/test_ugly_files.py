"""Each file of the corpus gets its verdict, in words that say what to change; none is half imported."""

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.models import Contact, ContactImport
from app.runtime.database import Database
from app.services.imports import operations
from app.services.imports.issues import IssueKind
from app.services.imports.views import ImportResult
from app.services.tabular.refusals import FileRefused
from tests.imports.corpus import FILES, Ugly
from tests.support.builders import NOON, make_organization, principal


async def import_file(database: Database, ugly: Ugly) -> ImportResult:
    async with database.transaction() as session:
        owner = principal(await make_organization(session))
    async with database.transaction() as session:
        return await operations.import_file(
            session, principal=owner, campaign_ref=None, file_name="ugly.csv", data=ugly.data, now=NOON
        )


@pytest.mark.parametrize("name", [name for name, ugly in FILES.items() if ugly.refused])
async def test_a_hopeless_file_is_refused_whole_with_advice(
    database: Database, session: AsyncSession, name: str
) -> None:
    with pytest.raises(FileRefused) as refused:
        await import_file(database, FILES[name])

    assert FILES[name].refused in str(refused.value)
    assert list(await session.scalars(select(ContactImport))) == []
    assert list(await session.scalars(select(Contact))) == []


@pytest.mark.parametrize("name", [name for name, ugly in FILES.items() if not ugly.refused])
async def test_a_readable_file_gives_its_people_and_its_reasons(
    database: Database, session: AsyncSession, name: str
) -> None:
    ugly = FILES[name]

    result = await import_file(database, ugly)

    people = list(await session.scalars(select(Contact).order_by(col(Contact.number))))
    assert tuple(person.number for person in people) == tuple(sorted(ugly.numbers))
    if ugly.names:
        assert tuple(person.name for person in people) == ugly.names
    told = {
        kind: {issue.row_number: issue.reason for issue in result.issues if issue.kind is kind}
        for kind in IssueKind
    }
    assert set(told[IssueKind.REJECTED]) == set(ugly.rejected)
    assert all(words in told[IssueKind.REJECTED][row] for row, words in ugly.rejected.items())
    assert result.duplicates == ugly.duplicates
    assert all(words in told[IssueKind.WARNING][row] for row, words in ugly.warned.items())
    assert result.accepted + result.rejected + result.duplicates + result.suppressed == result.rows


def test_the_corpus_is_large() -> None:
    assert len(FILES) >= 60

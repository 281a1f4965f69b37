"""The address book by page numbers and with a total, for short lists to choose from."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.rights import Right
from app.models import Contact
from app.services.access.principal import Principal, authorize
from app.services.contacts.index_scans import KEYS, Sort
from app.services.contacts.queries import ContactRow, rows_of
from app.services.contacts.search import matches_search
from app.services.paging import Page, offset_of


async def contacts_by_number(
    session: AsyncSession,
    *,
    principal: Principal,
    search: str = "",
    page: int = 1,
    page_size: int = 50,
    sort: Sort = Sort.CREATED,
    descending: bool = True,
) -> Page[ContactRow]:
    """Return one page of the contacts whose name or number starts with the text."""
    authorize(principal, Right.VIEW)
    wanted = [col(Contact.organization_id) == principal.organization_id]
    if search.strip():
        wanted.append(matches_search(search))
    order = [KEYS.get(sort, KEYS[Sort.CREATED]), col(Contact.id)]
    offset, limit = offset_of(page, page_size)
    statement = select(Contact).where(*wanted).order_by(*(one.desc() if descending else one for one in order))
    contacts = list((await session.execute(statement.offset(offset).limit(limit))).scalars())
    total = await session.scalar(select(func.count()).select_from(Contact).where(*wanted)) or 0
    return Page(await rows_of(session, principal.organization_id, contacts), total, max(1, page), limit)

"""Exports a campaign's people and its call log as CSV, with the filters of their pages."""

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.attempt import Disposition
from app.domain.recipient import RecipientStatus
from app.domain.rights import Right
from app.models import Attempt, Campaign, Contact, Recipient
from app.services.access.principal import Principal, authorize
from app.services.campaigns.call_log import why_there
from app.services.campaigns.readiness import recipient_variable_names
from app.services.campaigns.recipients import contact_matches, recipient_matches
from app.services.campaigns.rows import latest_run, load_campaign, shown_run
from app.services.campaigns.waiting import Because, because_condition
from app.services.recipients.attempts_allowed import attempts_allowed
from app.services.refs import Ref
from app.services.tabular.csv_text import BYTE_ORDER_MARK, csv_rows

_PAGE: Final = 1_000

CONTACT_HEADERS: Final = (
    "position",
    "name",
    "phone_number",
    "email",
    "company",
    "status",
    "attempts_made",
    "attempts_allowed",
    "last_outcome",
    "last_attempt_at",
    "next_attempt_at",
    "why",
)
"""The columns before the people's variables. A variable with the name of a column is written `variable.name`."""

CALL_HEADERS: Final = (
    "attempt_id",
    "at",
    "contact_name",
    "number_to",
    "number_from",
    "channel",
    "status",
    "outcome",
    "duration_seconds",
    "cost",
    "cost_unit",
    "answered_by",
    "reply",
    "attempt",
    "error_code",
    "error_message",
)


async def contacts_csv(
    session: AsyncSession,
    *,
    principal: Principal,
    campaign_ref: Ref,
    recipient_ids: Sequence[int] | None = None,
    statuses: Collection[RecipientStatus] = (),
    search: str = "",
    because: Because | None = None,
    run: int | None = None,
) -> AsyncIterator[str]:
    """Return the people of the campaign's run in their order, with the variables of each.

    Times are in the campaign's zone. `recipient_ids`: only those of these who match, in the newest run unless another
    is asked for. `run`: as in `shown_run`. Raises `NotFound`. The session may be committed between two pieces: no lock
    or cursor is held.
    """
    authorize(principal, Right.EXPORT)
    campaign = await load_campaign(session, principal, campaign_ref)
    in_newest = run is None and recipient_ids is not None
    shown = await (latest_run if in_newest else partial(shown_run, number=run))(session, campaign.id)
    variables = await recipient_variable_names(session, campaign.id, run_id=shown.id)
    reason = await because_condition(session, campaign, because)
    wanted = recipient_matches(shown, recipient_ids, statuses, search, reason)
    return _contact_pieces(session, campaign, variables, wanted)


async def calls_csv(
    session: AsyncSession,
    *,
    principal: Principal,
    campaign_ref: Ref,
    disposition: Disposition | None = None,
    search: str = "",
    run: int | None = None,
) -> AsyncIterator[str]:
    """Return the call log of the campaign's run, the newest first. Times are in the campaign's zone.

    `run`: as in `shown_run`. Raises `NotFound`. The session may be committed between two pieces: no lock or cursor is
    held.
    """
    authorize(principal, Right.EXPORT)
    campaign = await load_campaign(session, principal, campaign_ref)
    shown = await shown_run(session, campaign.id, run)
    wanted = [col(Attempt.campaign_id) == campaign.id, col(Attempt.run_id) == shown.id]
    if disposition is not None:
        wanted.append(col(Attempt.disposition) == disposition)
    if words := search.strip():
        wanted.append(contact_matches(words))
    return _call_pieces(session, campaign, wanted)


async def _contact_pieces(
    session: AsyncSession, campaign: Campaign, variables: Sequence[str], wanted: ColumnElement[bool]
) -> AsyncIterator[str]:
    own = [f"variable.{name}" if name in CONTACT_HEADERS else name for name in variables]
    yield BYTE_ORDER_MARK + csv_rows([[*CONTACT_HEADERS, *own]])
    zone, last = ZoneInfo(campaign.time_zone), (0, 0)
    place = tuple_(col(Recipient.position), col(Recipient.id))
    while page := (
        await session.execute(
            select(Recipient, Contact)
            .join(Contact, col(Contact.id) == col(Recipient.contact_id))
            .where(wanted, place > tuple_(*last))
            .order_by(col(Recipient.position), col(Recipient.id))
            .limit(_PAGE)
        )
    ).all():
        yield csv_rows(
            [*_contact_cells(recipient, contact, campaign, zone), *_values(recipient, variables)]
            for recipient, contact in page
        )
        last = (page[-1][0].position, page[-1][0].id)


def _contact_cells(recipient: Recipient, contact: Contact, campaign: Campaign, zone: ZoneInfo) -> list[str]:
    waits = recipient.status is RecipientStatus.PENDING
    return [
        str(recipient.position),
        contact.name,
        contact.number,
        contact.email,
        contact.company,
        recipient.status,
        str(recipient.attempts_made),
        str(attempts_allowed(recipient, campaign)),
        recipient.last_disposition or "",
        _time(recipient.last_attempt_at, zone),
        _time(recipient.not_before if waits else None, zone),
        why_there(recipient),
    ]


def _values(recipient: Recipient, variables: Sequence[str]) -> list[str]:
    return [_cell(recipient.variables.get(name)) for name in variables]


async def _call_pieces(
    session: AsyncSession, campaign: Campaign, wanted: Sequence[ColumnElement[bool]]
) -> AsyncIterator[str]:
    yield BYTE_ORDER_MARK + csv_rows([CALL_HEADERS])
    zone = ZoneInfo(campaign.time_zone)
    place = tuple_(col(Attempt.reserved_at), col(Attempt.id))
    query = (
        select(Attempt, col(Contact.name))
        .join(Contact, col(Contact.id) == col(Attempt.contact_id))
        .where(*wanted)
        .order_by(col(Attempt.reserved_at).desc(), col(Attempt.id).desc())
        .limit(_PAGE)
    )
    page = (await session.execute(query)).all()
    while page:
        yield csv_rows(_call_cells(attempt, name, zone) for attempt, name in page)
        last = page[-1][0]
        page = (await session.execute(query.where(place < tuple_(last.reserved_at, last.id)))).all()


def _call_cells(attempt: Attempt, contact_name: str, zone: ZoneInfo) -> list[str]:
    return [
        str(attempt.id),
        _time(attempt.placed_at or attempt.reserved_at, zone),
        contact_name,
        attempt.number_to,
        attempt.number_from,
        attempt.channel,
        attempt.status,
        attempt.disposition or "",
        _cell(attempt.duration_seconds),
        "" if attempt.price is None else f"{abs(attempt.price).normalize():f}",
        attempt.price_unit or "",
        attempt.answered_by or "",
        attempt.reply or "",
        str(attempt.ordinal),
        _cell(attempt.error_code),
        attempt.error_message or "",
    ]


def _time(at: datetime | None, zone: ZoneInfo) -> str:
    return "" if at is None else at.astimezone(zone).isoformat(timespec="seconds")


def _cell(value: object) -> str:
    return "" if value is None else str(value)

"""The people of a campaign and its call log: pages of rows, and the details of one person or call."""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.attempt import AttemptStatus, Disposition
from app.domain.campaign import EDITABLE, CampaignStatus, Channel
from app.domain.phone import pretty
from app.domain.recipient import ENDED, RETRYABLE_BY_HAND, RecipientStatus
from app.domain.retry import WHY_SETTLED
from app.domain.rights import Right
from app.models import (
    Attempt,
    AttemptTurn,
    Campaign,
    Contact,
    Place,
    ProviderEvent,
    Recipient,
    RecipientTransition,
    Run,
)
from app.services.access.principal import Principal, authorize
from app.services.campaigns.costs import unit_prices
from app.services.campaigns.recipients import REMOVABLE, contact_matches, recipient_matches
from app.services.campaigns.rows import latest_run, load_campaign, shown_run
from app.services.campaigns.views import (
    AttemptDetail,
    AttemptRow,
    EventRow,
    RecipientDetail,
    RecipientRow,
    TranscriptLine,
    TransitionRow,
)
from app.services.campaigns.waiting import Because, because_condition
from app.services.errors import NotFound
from app.services.paging import Page, offset_of
from app.services.recipients.attempts_allowed import attempts_allowed
from app.services.refs import Ref

_SORTS: Final[Mapping[str, Any]] = {
    "position": Recipient.position,
    "name": Contact.name,
    "status": Recipient.status,
    "attempts": Recipient.attempts_made,
    "last_attempt": Recipient.last_attempt_at,
    "next": Recipient.not_before,
}


async def list_recipients(  # noqa: PLR0913 - each filter of the tab by its name
    session: AsyncSession,
    *,
    principal: Principal,
    campaign_ref: Ref,
    recipient_ids: Sequence[int] | None = None,
    statuses: Collection[RecipientStatus] = (),
    search: str = "",
    page: int = 1,
    page_size: int = 25,
    sort: str = "position",
    because: Because | None = None,
    run: int | None = None,
) -> Page[RecipientRow]:
    """Return a page of the people of a campaign's run. `sort` is one of `_SORTS`, with a leading "-" downwards.

    `recipient_ids`: only those of these who match, in the newest run unless another is asked for. `run`: as in
    `shown_run`. Raises `NotFound`.
    """
    authorize(principal, Right.VIEW)
    campaign = await load_campaign(session, principal, campaign_ref)
    newest = await latest_run(session, campaign.id)
    # Those who are or will be skipped are people of the newest run.
    in_newest = run is None and recipient_ids is not None
    shown = newest if in_newest else await shown_run(session, campaign.id, run)
    reason = await because_condition(session, campaign, because)
    wanted = recipient_matches(shown, recipient_ids, statuses, search, reason)
    offset, limit = offset_of(page, page_size)
    total = (await session.execute(select(func.count()).select_from(Recipient).where(wanted))).scalar_one()
    key = col(_SORTS.get(sort.removeprefix("-"), Recipient.position))
    order = key.desc().nulls_last() if sort.startswith("-") else key.asc().nulls_last()
    rows = await session.execute(
        _with_contact()
        .where(wanted)
        .order_by(order, col(Recipient.position), col(Recipient.id))
        .offset(offset)
        .limit(limit)
    )
    items = [_recipient_row(recipient, contact, campaign, newest) for recipient, contact in rows]
    return Page(items, total, max(1, page), limit)


async def get_recipient(
    session: AsyncSession, *, principal: Principal, campaign_ref: Ref, recipient_id: int
) -> RecipientDetail:
    """Return one of a campaign's people with their attempts and history. Raises `NotFound`."""
    authorize(principal, Right.VIEW)
    campaign = await load_campaign(session, principal, campaign_ref)
    found = (
        await session.execute(
            _with_contact().where(
                col(Recipient.campaign_id) == campaign.id, col(Recipient.id) == recipient_id
            )
        )
    ).one_or_none()
    if found is None:
        raise NotFound("contact", recipient_id)
    recipient, contact = found
    attempts = await session.execute(
        _with_name().where(col(Attempt.recipient_id) == recipient.id).order_by(col(Attempt.ordinal))
    )
    history = await session.execute(
        select(RecipientTransition)
        .where(col(RecipientTransition.recipient_id) == recipient.id)
        .order_by(col(RecipientTransition.id))
    )
    return RecipientDetail(
        row=_recipient_row(recipient, contact, campaign, await latest_run(session, campaign.id)),
        variables=recipient.variables,
        attempts=await _attempt_rows(session, attempts.all()),
        transitions=[
            TransitionRow(old=each.old, new=each.new, reason=each.reason, at=each.at)
            for each in history.scalars()
        ],
    )


async def list_attempts(  # noqa: PLR0913 - each filter of the tab by its name
    session: AsyncSession,
    *,
    principal: Principal,
    campaign_ref: Ref,
    disposition: Disposition | None = None,
    status: AttemptStatus | None = None,
    search: str = "",
    page: int = 1,
    page_size: int = 25,
    run: int | None = None,
) -> Page[AttemptRow]:
    """Return a page of the call log of a campaign's run, the newest first. `run`: as in `shown_run`."""
    authorize(principal, Right.VIEW)
    campaign = await load_campaign(session, principal, campaign_ref)
    shown = await shown_run(session, campaign.id, run)
    wanted = [col(Attempt.campaign_id) == campaign.id, col(Attempt.run_id) == shown.id]
    if disposition is not None:
        wanted.append(col(Attempt.disposition) == disposition)
    if status is not None:
        wanted.append(col(Attempt.status) == status)
    if words := search.strip():
        wanted.append(contact_matches(words))
    offset, limit = offset_of(page, page_size)
    counted = select(func.count()).select_from(Attempt).join(Contact, col(Contact.id) == Attempt.contact_id)
    total = (await session.execute(counted.where(*wanted))).scalar_one()
    rows = await session.execute(
        _with_name()
        .where(*wanted)
        .order_by(col(Attempt.reserved_at).desc(), col(Attempt.id))
        .offset(offset)
        .limit(limit)
    )
    return Page(await _attempt_rows(session, rows.all()), total, max(1, page), limit)


async def get_attempt(
    session: AsyncSession, *, principal: Principal, attempt_id: UUID | str
) -> AttemptDetail:
    """Return one attempt with its transcript and the carrier's events. Raises `NotFound`."""
    authorize(principal, Right.VIEW)
    wanted = _uuid(attempt_id)
    found = (
        await session.execute(
            _with_name().where(
                col(Attempt.id) == wanted, col(Attempt.organization_id) == principal.organization_id
            )
        )
    ).one_or_none()
    if found is None:
        raise NotFound("attempt", attempt_id)
    attempt, *_ = found
    said = select(AttemptTurn).where(col(AttemptTurn.attempt_id) == attempt.id)
    told = select(ProviderEvent).where(col(ProviderEvent.attempt_id) == attempt.id)
    turns = await session.execute(said.order_by(col(AttemptTurn.at), col(AttemptTurn.id)))
    events = await session.execute(told.order_by(col(ProviderEvent.id)))
    return AttemptDetail(
        row=(await _attempt_rows(session, [found]))[0],
        rendered={part: str(said) for part, said in attempt.rendered.items()},
        turns=[TranscriptLine(speaker=turn.speaker, text=turn.text, at=turn.at) for turn in turns.scalars()],
        events=[
            EventRow(kind=event.kind, at=event.received_at, payload=event.payload)
            for event in events.scalars()
        ],
        recipient_id=attempt.recipient_id,
        campaign_id=attempt.campaign_id,
        provider_id=attempt.provider_id,
    )


def recipient_actions(recipient: Recipient, campaign: CampaignStatus) -> frozenset[str]:
    """Return which of retry, skip and remove are possible for one person."""
    offered = set()
    if recipient.status in RETRYABLE_BY_HAND and campaign is not CampaignStatus.CANCELLED:
        offered.add("retry")
    if recipient.status is RecipientStatus.PENDING:
        offered.add("skip")
    untried = recipient.attempts_made == 0 and recipient.last_attempt_id is None
    if recipient.status in REMOVABLE and untried and campaign in EDITABLE:
        offered.add("remove")
    return frozenset(offered)


def why_there(recipient: Recipient) -> str:
    """Return the reason for a recipient's status as a sentence: a rule, an error or the outcome; may be empty."""
    if recipient.blocked_why or recipient.last_error:
        return recipient.blocked_why or recipient.last_error or ""
    if recipient.status not in ENDED or recipient.last_disposition is None:
        return ""
    return WHY_SETTLED.get(recipient.last_disposition, "")


def _with_contact() -> Select[Recipient, Contact]:
    return select(Recipient, Contact).join(Contact, col(Contact.id) == col(Recipient.contact_id))


def _with_name() -> Select[Attempt, str, list[str]]:
    return (
        select(Attempt, col(Contact.name), col(Place.zones))
        .join(Contact, col(Contact.id) == col(Attempt.contact_id))
        .outerjoin(Place, col(Place.id) == col(Contact.place_id))
    )


def _recipient_row(recipient: Recipient, contact: Contact, campaign: Campaign, newest: Run) -> RecipientRow:
    waits = recipient.status is RecipientStatus.PENDING
    return RecipientRow(
        id=recipient.id,
        contact_id=contact.id,
        position=recipient.position,
        name=contact.name,
        number=contact.number,
        pretty=pretty(contact.number),
        email=contact.email,
        status=recipient.status,
        attempts_made=recipient.attempts_made,
        attempts_allowed=attempts_allowed(recipient, campaign),
        last_disposition=recipient.last_disposition,
        last_attempt_at=recipient.last_attempt_at,
        last_error=recipient.last_error,
        next_at=recipient.not_before if waits else None,
        blocked_by=recipient.blocked_by,
        blocked_why=recipient.blocked_why,
        why=why_there(recipient),
        actions=recipient_actions(recipient, campaign.status)
        if recipient.run_id == newest.id
        else frozenset(),
    )


async def attempts_by_id(
    session: AsyncSession, campaign_id: int, attempt_ids: Collection[UUID]
) -> dict[UUID, AttemptRow]:
    """Return these attempts of the campaign. For callers that have checked the right to see it."""
    wanted = (col(Attempt.campaign_id) == campaign_id, col(Attempt.id).in_(attempt_ids))
    rows = (await session.execute(_with_name().where(*wanted))).all() if attempt_ids else []
    return {row.id: row for row in await _attempt_rows(session, rows)}


async def _attempt_rows(
    session: AsyncSession, rows: Sequence[Row[Attempt, str, list[str]]]
) -> list[AttemptRow]:
    """Return the rows, all of one campaign."""
    prices = await unit_prices(session, [attempt for attempt, *_ in rows])
    return [_attempt_row(attempt, name, tuple(zones or ()), prices) for attempt, name, zones in rows]


def _estimated_cost(attempt: Attempt, prices: Mapping[Channel, Decimal]) -> float | None:
    """Return the estimated cost of an attempt without a price: begun minutes of a call, parts of a sent message."""
    if attempt.price is not None or attempt.placed_at is None:
        return None
    if attempt.channel is Channel.SMS:
        return (
            float(attempt.parts * prices[Channel.SMS]) if attempt.status is not AttemptStatus.FAILED else None
        )
    minutes = ((attempt.duration_seconds or 0) + 59) // 60
    return float(minutes * prices[Channel.CALL]) if minutes else None


def _attempt_row(
    attempt: Attempt, contact_name: str, place_zones: tuple[str, ...], prices: Mapping[Channel, Decimal]
) -> AttemptRow:
    return AttemptRow(
        id=attempt.id,
        at=attempt.placed_at or attempt.reserved_at,
        contact_name=contact_name,
        place_zones=place_zones,
        number_to=attempt.number_to,
        number_from=attempt.number_from,
        channel=attempt.channel,
        status=attempt.status,
        disposition=attempt.disposition,
        duration_seconds=attempt.duration_seconds,
        cost=abs(float(attempt.price)) if attempt.price is not None else None,
        estimated_cost=_estimated_cost(attempt, prices),
        cost_unit=attempt.price_unit,
        answered_by=attempt.answered_by,
        reply=attempt.reply,
        ordinal=attempt.ordinal,
        error_code=attempt.error_code,
        error_message=attempt.error_message,
        recipient_id=attempt.recipient_id,
        campaign_id=attempt.campaign_id,
    )


def _uuid(ref: UUID | str) -> UUID:
    try:
        return ref if isinstance(ref, UUID) else UUID(ref)
    except ValueError:
        raise NotFound("attempt", ref) from None

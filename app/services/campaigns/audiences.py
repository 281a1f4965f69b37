"""Adds people of the address book to a campaign by a rule: a segment or a filter, with exclusions.

A snapshot adds the people who match now. A standing rule keeps adding new matches, also while the campaign runs. Both
read the address book in batches. Each batch is committed with its position, so a crash loses no person and adds no
person twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, exists, false, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.audience import AudienceMode, AudienceStatus
from app.domain.campaign import EDITABLE, CampaignStatus
from app.domain.contact_filter import EVERYBODY, Condition, ContactFilter, Op, as_json
from app.domain.contact_filter_reading import read_filter
from app.domain.rights import Right
from app.models import Audience, Campaign, Contact, Recipient, Segment
from app.runtime.clock import Clock
from app.runtime.database import Database
from app.runtime.fault_points import fault
from app.runtime.live_feed import announce
from app.services.access.principal import Principal, authorize
from app.services.campaigns.adding import add_recipients_bulk, card_variables, require_editable_list
from app.services.campaigns.rows import latest_run, load_campaign
from app.services.contacts.filter_sql import condition_of, filter_from, require_said, where
from app.services.contacts.queries import BoundedCount
from app.services.errors import Conflict, FieldErrors, NotFound
from app.services.refs import Ref, load

BATCH: Final = 1_000
"""Most people added in one transaction. The dialer skips the campaign while its row is locked, so it is short."""

LOOK_EVERY: Final = timedelta(seconds=60)
"""How often a standing rule is applied."""

MOST_COUNTED: Final = 10_000
"""Above this number a preview says "10,000+"."""

LONGEST_EXCLUSION_DAYS: Final = 3_650
MOST_CAMPAIGNS: Final = 100

_MEANS_EVERYBODY: Final = (
    "The filter of “{name}” means everybody. Give it a condition, or choose everyone (everyone: true)."
)

OVER: Final = frozenset({CampaignStatus.COMPLETED, CampaignStatus.CANCELLED})
"""The audience is over: it adds no more people."""
_UNFINISHED: Final = (AudienceStatus.ADDING, AudienceStatus.STANDING)


@dataclass(frozen=True, slots=True, kw_only=True)
class AudienceRule:
    """The people to add: those of a segment or a filter, without the exclusions."""

    segment_id: int | None = None
    """The segment; None: `filter`."""
    filter: ContactFilter = EVERYBODY
    not_contacted_for_days: int = 0
    """Leave out people whom any campaign contacted within this many days; 0: no such exclusion."""
    not_in_campaigns: tuple[int, ...] = ()
    """Leave out people who are in one of these campaigns, whatever their status."""


@dataclass(frozen=True, slots=True)
class AudiencePreview:
    """What the rule would add now. Counts end at `MOST_COUNTED`."""

    matching: BoundedCount
    already_in: BoundedCount
    would_add: BoundedCount
    """Including people who must not be contacted: they are added as skipped."""


@dataclass(frozen=True, slots=True)
class AudienceView:
    """An audience and its progress."""

    id: int
    mode: AudienceMode
    status: AudienceStatus
    segment_id: int | None
    segment_name: str
    rule: Mapping[str, Any]
    not_contacted_for_days: int
    not_in_campaigns: tuple[int, ...]
    added: int
    already_in: int
    """Matching people who were in the campaign already when the rule first met them."""
    suppressed: int
    created_by: str
    created_at: datetime
    last_at: datetime | None
    next_at: datetime | None


async def read_rule(
    session: AsyncSession,
    *,
    principal: Principal,
    segment: Ref | None = None,
    filter: object = None,  # noqa: A002 - the API's word
    everyone: bool = False,
    not_contacted_for_days: int = 0,
    not_in_campaigns: Sequence[Ref] = (),
    zone: str = "UTC",
) -> AudienceRule:
    """Return the rule of a request: a segment, a filter that does not match everybody, or everyone.

    Raises `FieldErrors` unless it is exactly one of the three, and `NotFound`.
    """
    _require_one_of(segment, filter, everyone=everyone)
    if not 0 <= not_contacted_for_days <= LONGEST_EXCLUSION_DAYS:
        raise FieldErrors({"not_contacted_for_days": f"Between 0 and {LONGEST_EXCLUSION_DAYS:,} days."})
    if len(not_in_campaigns) > MOST_CAMPAIGNS:
        raise FieldErrors({"not_in_campaigns": f"At most {MOST_CAMPAIGNS} campaigns."})
    rule = AudienceRule(
        not_contacted_for_days=not_contacted_for_days,
        not_in_campaigns=tuple(
            [(await load_campaign(session, principal, ref)).id for ref in not_in_campaigns]
        ),
    )
    if segment is not None:
        found = await load(session, Segment, segment, organization_id=principal.organization_id)
        if not read_filter(found.rule):
            raise FieldErrors({"segment_id": _MEANS_EVERYBODY.format(name=found.name)})
        return replace(rule, segment_id=found.id)
    wanted = EVERYBODY if everyone else filter_from(filter, zone=zone)
    require_said(wanted, everyone=everyone)
    return replace(rule, filter=wanted)


def _require_one_of(segment: Ref | None, wanted: object, *, everyone: bool) -> None:
    """Check that exactly one is given: an empty rule would add the whole address book by mistake."""
    if segment is None and wanted is None and not everyone:
        raise FieldErrors({"everyone": "Say whom to add: send a segment_id, a filter, or everyone: true."})
    if segment is not None and wanted is not None:
        raise FieldErrors({"segment_id": "Send a segment_id or a filter, not both."})
    if everyone and (segment is not None or wanted is not None):
        raise FieldErrors({"everyone": "Send everyone: true, or a segment_id or a filter, not both."})


async def preview_audience(
    session: AsyncSession, *, principal: Principal, campaign_ref: Ref, rule: AudienceRule, now: datetime
) -> AudiencePreview:
    """Return how many people match, how many of them are in the campaign, and how many would be added."""
    authorize(principal, Right.VIEW)
    campaign = await load_campaign(session, principal, campaign_ref)
    meant = await conditions_of(session, rule, campaign.organization_id, now=now)
    absent = await _absent(session, campaign)
    return AudiencePreview(
        matching=await _count(session, meant),
        already_in=await _count(session, [*meant, ~absent]),
        would_add=await _count(session, [*meant, absent]),
    )


async def add_audience(
    session: AsyncSession,
    *,
    principal: Principal,
    campaign_ref: Ref,
    rule: AudienceRule,
    mode: AudienceMode,
    now: datetime,
) -> AudienceView:
    """Begin to add the people of the rule; `advance` does the work. People who are in the campaign are not changed.

    A snapshot needs a draft, paused or failed campaign; a standing rule needs one that is not over. Raises `Conflict`,
    `NotFound`.
    """
    authorize(principal, Right.EDIT_CAMPAIGNS)
    campaign = await load_campaign(session, principal, campaign_ref, lock=True)
    if mode is AudienceMode.SNAPSHOT:
        require_editable_list(campaign)
    elif campaign.status in OVER:
        raise Conflict(f"This campaign is {campaign.status}. Duplicate it to contact more people.")
    audience = Audience(
        organization_id=campaign.organization_id,
        campaign_id=campaign.id,
        mode=mode,
        segment_id=rule.segment_id,
        rule=as_json(rule.filter),
        exclude={
            "not_contacted_for_days": rule.not_contacted_for_days,
            "not_in_campaigns": list(rule.not_in_campaigns),
        },
        until_id=await _newest_contact(session, campaign.organization_id),
        next_at=now,
        created_by=principal.actor,
        created_at=now,
    )
    session.add(audience)
    await session.flush()
    return await _view(session, audience)


async def end_audience(
    session: AsyncSession, *, principal: Principal, campaign_ref: Ref, audience_id: int, now: datetime
) -> AudienceView:
    """End this rule: it adds no more people; people already added stay. Raises `NotFound`, `Conflict` if it is over."""
    authorize(principal, Right.EDIT_CAMPAIGNS)
    campaign = await load_campaign(session, principal, campaign_ref)
    audience = await session.scalar(
        select(Audience)
        .where(col(Audience.id) == audience_id, col(Audience.campaign_id) == campaign.id)
        .with_for_update()
    )
    if audience is None:
        raise NotFound("audience", audience_id)
    if audience.status not in _UNFINISHED:
        raise Conflict("Nobody is added by this rule any more.")
    _end(audience, AudienceStatus.ENDED, now)
    announce(session, organization_id=campaign.organization_id, campaign_id=campaign.id, work=True)
    await session.flush()
    return await _view(session, audience)


async def list_audiences(
    session: AsyncSession, *, principal: Principal, campaign_ref: Ref
) -> list[AudienceView]:
    """Return the campaign's rules, newest first."""
    authorize(principal, Right.VIEW)
    campaign = await load_campaign(session, principal, campaign_ref)
    rows = await session.scalars(
        select(Audience).where(col(Audience.campaign_id) == campaign.id).order_by(col(Audience.id).desc())
    )
    return [await _view(session, audience) for audience in rows]


async def due_audiences(session: AsyncSession, *, now: datetime) -> list[int]:
    """Return the rules that are due and not locked by a worker, the longest due first."""
    rows = await session.scalars(
        select(col(Audience.id))
        .where(col(Audience.next_at) <= now)
        .order_by(col(Audience.next_at))
        .limit(100)
        .with_for_update(skip_locked=True)
    )
    return list(rows)


async def advance(database: Database, *, audience_id: int, clock: Clock) -> None:
    """Add the people of the rule who are not in the campaign yet, batch by batch, until this pass is done.

    Several processes may do this at once, or die: each batch is one transaction.
    """

    async def next_batch(session: AsyncSession) -> bool:
        more = await _add_batch(session, audience_id, now=clock.now())
        fault("before_audience_commit")
        return more

    while await database.write(next_batch):
        fault("after_audience_commit")
    fault("after_audience_commit")


async def _add_batch(session: AsyncSession, audience_id: int, *, now: datetime) -> bool:
    """Add the next people; return whether there may be more in this pass."""
    audience = await session.get(Audience, audience_id, with_for_update=True)
    if audience is None or audience.next_at is None or audience.next_at > now:
        return False
    campaign = await session.get_one(Campaign, audience.campaign_id)
    if _has_to_wait(audience, campaign, now=now):
        return False
    if (
        audience.status is AudienceStatus.STANDING and not audience.cursor_id
    ):  # A new pass: it includes new contacts.
        audience.until_id = await _newest_contact(session, audience.organization_id)
    people = await _next_people(session, audience, campaign, now=now)
    already_in = 0
    if audience.last_at is None:
        until_id = people[-1].id if len(people) == BATCH else audience.until_id
        already_in = await _already_in(session, audience, campaign, until_id, now=now)
    # Locked only now: the dialer skips the campaign while its row is locked, and the search before may be slow.
    await session.refresh(campaign, with_for_update={"key_share": True})
    if _has_to_wait(audience, campaign, now=now):
        return False
    audience.already_in += already_in
    result = await add_recipients_bulk(
        session,
        campaign=campaign,
        rows=[(person.id, card_variables(person)) for person in people],
        now=now,
        audience_id=audience.id,
    )
    audience.added += result.added
    audience.suppressed += result.suppressed
    if result.added or result.suppressed:
        announce(session, organization_id=campaign.organization_id, campaign_id=campaign.id, work=True)
    if len(people) == BATCH:
        audience.cursor_id = people[-1].id
        return True
    _look_is_through(audience, now=now)
    return False


def _has_to_wait(audience: Audience, campaign: Campaign, *, now: datetime) -> bool:
    """Tell whether no one may be added now. A rule whose campaign is over ends."""
    if campaign.status in OVER:
        _end(audience, AudienceStatus.ENDED, now)
        return True
    if audience.mode is AudienceMode.SNAPSHOT and campaign.status not in EDITABLE:
        audience.next_at = now + LOOK_EVERY  # A snapshot does not change the list of a running campaign.
        return True
    return False


async def _next_people(
    session: AsyncSession, audience: Audience, campaign: Campaign, *, now: datetime
) -> list[Contact]:
    meant = await conditions_of(session, _rule_of(audience), campaign.organization_id, now=now)
    rows = await session.scalars(
        select(Contact)
        .where(
            *meant,
            await _absent(session, campaign),
            col(Contact.id) > audience.cursor_id,
            col(Contact.id) <= audience.until_id,
        )
        .order_by(col(Contact.id))
        .limit(BATCH)
    )
    return list(rows)


async def _already_in(
    session: AsyncSession, audience: Audience, campaign: Campaign, until_id: int, *, now: datetime
) -> int:
    """Return how many matching people of this batch, up to `until_id`, are in the campaign."""
    meant = await conditions_of(session, _rule_of(audience), campaign.organization_id, now=now)
    present = select(func.count(col(Contact.id))).where(
        *meant,
        ~await _absent(session, campaign),
        col(Contact.id) > audience.cursor_id,
        col(Contact.id) <= until_id,
    )
    return (await session.execute(present)).scalar_one()


def _look_is_through(audience: Audience, *, now: datetime) -> None:
    audience.last_at = now
    if audience.mode is AudienceMode.SNAPSHOT:
        _end(audience, AudienceStatus.DONE, now)
        return
    audience.status = AudienceStatus.STANDING
    audience.cursor_id = 0
    audience.next_at = now + LOOK_EVERY


def _end(audience: Audience, status: AudienceStatus, now: datetime) -> None:
    audience.status, audience.next_at, audience.last_at = status, None, now


async def conditions_of(
    session: AsyncSession, rule: AudienceRule, organization_id: int, *, now: datetime
) -> list[ColumnElement[bool]]:
    """Return the conditions on a contact: the rule's filter and its exclusions."""
    meant = rule.filter
    if rule.segment_id is not None:
        meant = read_filter((await session.get_one(Segment, rule.segment_id)).rule)
        if not meant:  # Stored before such filters were refused. The person did not ask to call everybody.
            return [false()]
    left_out: list[Condition] = []
    if rule.not_contacted_for_days:
        left_out.append(Condition("last_contacted_at", Op.NOT_WITHIN_DAYS, rule.not_contacted_for_days))
    if rule.not_in_campaigns:
        left_out.append(Condition("campaign_id", Op.NONE_OF, rule.not_in_campaigns))
    return [
        *where(meant, organization_id, now),
        *(condition_of(condition, meant.zone, now) for condition in left_out),
    ]


def _rule_of(audience: Audience) -> AudienceRule:
    exclude = audience.exclude
    return AudienceRule(
        segment_id=audience.segment_id,
        filter=read_filter(audience.rule),
        not_contacted_for_days=exclude["not_contacted_for_days"],
        not_in_campaigns=tuple(exclude["not_in_campaigns"]),
    )


async def _absent(session: AsyncSession, campaign: Campaign) -> ColumnElement[bool]:
    run = await latest_run(session, campaign.id)
    return ~exists().where(col(Recipient.run_id) == run.id, col(Recipient.contact_id) == col(Contact.id))


async def _count(session: AsyncSession, conditions: Sequence[ColumnElement[bool]]) -> BoundedCount:
    bounded = select(col(Contact.id)).where(*conditions).limit(MOST_COUNTED + 1).subquery()
    counted = (await session.execute(select(func.count()).select_from(bounded))).scalar_one()
    return BoundedCount(min(counted, MOST_COUNTED), more=counted > MOST_COUNTED)


async def _newest_contact(session: AsyncSession, organization_id: int) -> int:
    newest = await session.scalar(
        select(func.max(Contact.id)).where(col(Contact.organization_id) == organization_id)
    )
    return newest or 0


async def _view(session: AsyncSession, audience: Audience) -> AudienceView:
    segment = await session.get(Segment, audience.segment_id) if audience.segment_id else None
    rule = _rule_of(audience)
    return AudienceView(
        id=audience.id,
        mode=audience.mode,
        status=audience.status,
        segment_id=audience.segment_id,
        segment_name=segment.name if segment is not None else "",
        rule=audience.rule,
        not_contacted_for_days=rule.not_contacted_for_days,
        not_in_campaigns=rule.not_in_campaigns,
        added=audience.added,
        already_in=audience.already_in,
        suppressed=audience.suppressed,
        created_by=audience.created_by,
        created_at=audience.created_at,
        last_at=audience.last_at,
        next_at=audience.next_at,
    )

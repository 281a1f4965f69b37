"""Making, changing, copying and deleting campaigns. Their life from start to end is in `lifecycle`."""

from collections.abc import Awaitable, Callable, Collection, Container, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import delete, insert, literal, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.campaign import EDITABLE, CampaignStatus
from app.domain.contact_filter_reading import read_filter
from app.domain.recipient import RecipientStatus
from app.domain.rights import Right
from app.models import Agent, Campaign, CampaignNumber, Contact, PhoneNumber, Recipient, Run, Segment, Step
from app.runtime.live_feed import announce
from app.services.access.principal import Principal, authorize
from app.services.campaigns.rows import CampaignRows, load_rows, shown_run, write_pool
from app.services.campaigns.runs import choose_people, reschedule
from app.services.campaigns.schedules import PLAN, plan_of, recurs, stored_plan, why_over
from app.services.campaigns.setting_declaration import Group
from app.services.campaigns.setting_rows import unreadable, write_settings
from app.services.campaigns.settings import (
    DEFAULTS,
    SETTINGS,
    CampaignSettings,
    one_hours,
    read_setting,
    why_hours_are_wrong,
)
from app.services.errors import ChangedMeanwhile, Conflict, FieldErrors, NotFound
from app.services.field_readers import ChangeReader, Unacceptable
from app.services.refs import Ref, load

MOST_POOL_NUMBERS: Final = 200
_NOTHING: Final[Mapping[str, Any]] = {}

WHY_LOCKED: Final[Mapping[CampaignStatus, str]] = {
    CampaignStatus.SCHEDULED: "Pause the campaign first: settings can be changed in draft and paused only.",
    CampaignStatus.QUEUED: "Pause the campaign first: settings can be changed in draft and paused only.",
    CampaignStatus.RUNNING: "Pause the campaign first: settings can be changed in draft and paused only.",
    CampaignStatus.COMPLETED: "A completed campaign cannot be changed. Duplicate it to make a new version.",
    CampaignStatus.CANCELLED: "A cancelled campaign cannot be changed. Duplicate it to make a new version.",
}
"""Why a campaign's settings cannot be changed in a status; in a status that is not here they can."""


async def create_campaign(
    session: AsyncSession, *, principal: Principal, changes: Mapping[str, Any], now: datetime
) -> int:
    """Make a draft with run 1 and step 1 and return its id. It may be incomplete.

    A change that the caller already knows to be wrong is an `Unacceptable`: it is reported together with the others.
    Raises `FieldErrors`, by the settings' names.
    """
    authorize(principal, Right.EDIT_CAMPAIGNS)
    base = replace(DEFAULTS, time_zone=principal.time_zone)
    settings = await _settings_after(session, principal, base, {"name": None} | dict(changes), now)
    campaign = Campaign(
        organization_id=principal.organization_id,
        name=settings.name,
        created_by=principal.actor,
        created_at=now,
        updated_at=now,
    )
    await _insert(session, campaign, settings, now)
    announce(session, organization_id=principal.organization_id, campaign_id=campaign.id)
    return campaign.id


async def update_campaign(
    session: AsyncSession,
    *,
    principal: Principal,
    campaign_ref: Ref,
    changes: Mapping[str, Any],
    now: datetime,
    as_shown: Collection[str] = (),
    expected: Mapping[str, Any] = _NOTHING,
) -> CampaignRows:
    """Change settings of a draft, paused or failed campaign, and return the changed campaign, for `detail_of`.

    The changes must include every setting whose stored value cannot be read. Settings in `as_shown` are excepted: a
    person has seen their default and accepts it. A change that the caller already knows to be wrong is an
    `Unacceptable`: it is reported together with the others. `expected` holds settings as the caller has read them.
    Raises `FieldErrors`, by the settings' names, `ChangedMeanwhile` if a setting in `expected` has another value now
    which is not the one asked for either, or `Conflict` with the reason.
    """
    authorize(principal, Right.EDIT_CAMPAIGNS)
    rows = await load_rows(session, principal, campaign_ref, lock=True)
    status = rows.campaign.status
    if status not in EDITABLE:
        raise Conflict(WHY_LOCKED[status])
    problems = unreadable(rows.campaign)
    if lacking := problems.keys() - {*changes, *as_shown}:
        raise FieldErrors({name: problems[name] for name in sorted(lacking)})
    before = rows.settings
    settings = await _settings_after(session, principal, before, changes, now)
    _refuse_overwriting(before, settings, expected)
    plan, people = plan_of(rows.campaign), stored_plan(rows.campaign)
    if settings.channel is not rows.campaign.channel and status is not CampaignStatus.DRAFT:
        raise FieldErrors({"channel": "The channel is fixed once a campaign has been started."})
    await _apply(session, rows, settings)
    await choose_people(session, rows.campaign, before=people, now=now)
    await reschedule(session, rows.campaign, before=plan, now=now)
    rows.campaign.updated_at = now
    await session.flush()
    announce(session, organization_id=principal.organization_id, campaign_id=rows.campaign.id)
    return rows


async def delete_campaign(
    session: AsyncSession,
    *,
    principal: Principal,
    campaign_ref: Ref,
    now: datetime,  # noqa: ARG001 - every operation takes it
) -> None:
    """Delete a draft and its list of contacts; the contacts stay in the address book. Raises `Conflict`."""
    authorize(principal, Right.EDIT_CAMPAIGNS)
    campaign = (await load_rows(session, principal, campaign_ref, lock=True)).campaign
    if campaign.status is not CampaignStatus.DRAFT:
        raise Conflict(
            f"Only a draft can be deleted, and this campaign is {campaign.status}: cancel it instead."
        )
    await session.execute(delete(Recipient).where(col(Recipient.campaign_id) == campaign.id))
    await session.execute(delete(Campaign).where(col(Campaign.id) == campaign.id))
    announce(session, organization_id=principal.organization_id, campaign_id=campaign.id)


async def duplicate_campaign(
    session: AsyncSession, *, principal: Principal, campaign_ref: Ref, now: datetime
) -> int:
    """Copy settings and contacts of a campaign in any status into a new draft and return its id."""
    authorize(principal, Right.EDIT_CAMPAIGNS)
    rows = await load_rows(session, principal, campaign_ref)
    original = rows.campaign
    settings = replace(rows.settings, name=f"{original.name[:193]} (copy)")
    copy = Campaign(
        organization_id=principal.organization_id,
        name=settings.name,
        variable_mappings=original.variable_mappings,
        next_position=original.next_position,
        created_by=principal.actor,
        created_at=now,
        updated_at=now,
    )
    run, step = await _insert(session, copy, settings, now)
    source = await shown_run(session, original.id)
    await _copy_recipients(session, source, run, step, now)
    announce(session, organization_id=principal.organization_id, campaign_id=copy.id)
    return copy.id


async def _insert(
    session: AsyncSession, campaign: Campaign, settings: CampaignSettings, now: datetime
) -> tuple[Run, Step]:
    session.add(campaign)
    await session.flush()
    run = Run(campaign_id=campaign.id, created_at=now, filled_at=now)
    step = Step(campaign_id=campaign.id)
    write_settings(settings, campaign, step)
    session.add_all([run, step])
    write_pool(session, campaign.id, settings.number_pool)
    await session.flush()
    return run, step


async def _apply(session: AsyncSession, rows: CampaignRows, settings: CampaignSettings) -> None:
    if settings.pilot_size != rows.campaign.pilot_size:
        # It is another pilot: it does not matter whether the one before was done, or seen by a person.
        rows.campaign.pilot_passed_at = rows.campaign.gate_rule = None
    write_settings(settings, rows.campaign, rows.step)
    if settings.number_pool != rows.pool:
        campaign_id = rows.campaign.id
        await session.execute(delete(CampaignNumber).where(col(CampaignNumber.campaign_id) == campaign_id))
        write_pool(session, campaign_id, settings.number_pool)
        rows.pool = settings.number_pool


async def _copy_recipients(session: AsyncSession, source: Run, run: Run, step: Step, now: datetime) -> None:
    """Copy the contacts with their order and variables. Statuses and attempts are not copied."""
    copied: dict[str, Any] = {
        "organization_id": Recipient.organization_id,
        "campaign_id": literal(run.campaign_id),
        "run_id": literal(run.id),
        "step_id": literal(step.id),
        "contact_id": Recipient.contact_id,
        "place_id": select(col(Contact.place_id))
        .where(col(Contact.id) == col(Recipient.contact_id))
        .scalar_subquery(),
        "position": Recipient.position,
        "status": literal(RecipientStatus.PENDING.value),
        "attempts_made": literal(0),
        "not_before": literal(now),
        "variables": Recipient.variables,
        "created_at": literal(now),
        "updated_at": literal(now),
    }
    who = select(*copied.values()).where(col(Recipient.run_id) == source.id)
    await session.execute(insert(Recipient).from_select(list(copied), who, include_defaults=False))


async def _settings_after(
    session: AsyncSession,
    principal: Principal,
    old: CampaignSettings,
    changes: Mapping[str, Any],
    now: datetime,
) -> CampaignSettings:
    """Return the settings after the changes. Raises `FieldErrors` with everything that is wrong at once."""
    reader = ChangeReader(changes)
    for name, find in _ROWS.items():
        await reader.look_up(name, partial(find, session, principal))
    for name in changes:
        reader.read(name, partial(read_setting, name))
    values, errors = reader.values, reader.errors
    settings = one_hours(_one_delay(replace(old, **values), values), values)
    at: datetime | None = values.get("scheduled_at")
    if at is not None:
        if at.tzinfo is None:  # A time without an offset is in the campaign's time zone.
            at = at.replace(tzinfo=ZoneInfo(settings.time_zone))
        settings = replace(settings, scheduled_at=at.astimezone(UTC))
        errors |= _why_not_at(settings, old, at, now)
    if values.get(PLAN) not in (None, getattr(old, PLAN)):
        errors = why_over(settings, now) | errors
    if any(SETTINGS[name].group is Group.HOURS for name in values):
        errors = why_hours_are_wrong(settings) | errors
    if errors:
        raise FieldErrors(errors)
    return settings


def _why_not_at(
    settings: CampaignSettings, old: CampaignSettings, at: datetime, now: datetime
) -> dict[str, str]:
    """Return why a campaign cannot start at that time. A recurring one has its times from its schedule."""
    if recurs(settings):
        why = f"A recurring campaign starts at the times of {PLAN}. Leave this out."
        return {"scheduled_at": why} if settings.scheduled_at != old.scheduled_at else {}
    return {"scheduled_at": "This time has passed. Choose one in the future."} if at <= now else {}


def _refuse_overwriting(now: CampaignSettings, asked: CampaignSettings, expected: Mapping[str, Any]) -> None:
    changed = {
        name: getattr(now, name)
        for name, value in expected.items()
        if getattr(now, name) not in (value, getattr(asked, name))
    }
    if changed:
        raise ChangedMeanwhile(changed)


def _one_delay(settings: CampaignSettings, changed: Container[str]) -> CampaignSettings:
    """Keep the single delay and the list of delays consistent: the one that was set decides the other."""
    if "retry_delays" in changed and settings.retry_delays:
        return replace(settings, retry_delay_minutes=settings.retry_delays[0])
    if "retry_delay_minutes" in changed and "retry_delays" not in changed:
        return replace(settings, retry_delays=())
    return settings


async def _agent_id(session: AsyncSession, principal: Principal, ref: Any) -> int | None:
    if ref in (None, ""):
        return None
    try:
        return (await load(session, Agent, ref, organization_id=principal.organization_id)).id
    except NotFound:
        raise Unacceptable(f"You have no agent {ref}. Choose one of your agents.") from None


async def _number_id(session: AsyncSession, principal: Principal, ref: Any) -> int | None:
    if ref in (None, ""):
        return None
    try:
        return (await load(session, PhoneNumber, ref, organization_id=principal.organization_id)).id
    except NotFound:
        raise Unacceptable(f"You have no number with the id {ref}. Choose one of your numbers.") from None


async def _plan(session: AsyncSession, principal: Principal, raw: Any) -> Any:
    """Read a schedule, and look up the segment that it names."""
    ref = raw.get("segment_id") if isinstance(raw, Mapping) else None
    if ref in (None, ""):
        return read_setting(PLAN, raw)
    try:
        segment = await load(session, Segment, ref, organization_id=principal.organization_id)
    except NotFound:
        raise Unacceptable(
            "There is no such segment.",
            parts={"segment_id": f"You have no segment {ref}. Choose one of your segments."},
        ) from None
    if not read_filter(segment.rule):
        why = f"The filter of “{segment.name}” means everybody. Give it a condition."
        raise Unacceptable(why, parts={"segment_id": why})
    return read_setting(PLAN, {**raw, "segment_id": segment.id})


async def _pool(session: AsyncSession, principal: Principal, refs: Any) -> tuple[int, ...]:
    if not isinstance(refs, list | tuple | None):
        raise Unacceptable("Enter a list of numbers' ids.")
    if len(refs or ()) > MOST_POOL_NUMBERS:
        raise Unacceptable(f"At most {MOST_POOL_NUMBERS} numbers in a pool.")
    found = [await _number_id(session, principal, ref) for ref in refs or ()]
    return tuple(dict.fromkeys(number for number in found if number is not None))


_ROWS: Final[Mapping[str, Callable[[AsyncSession, Principal, Any], Awaitable[Any]]]] = {
    "agent_id": _agent_id,
    "phone_number_id": _number_id,
    "number_pool": _pool,
    PLAN: _plan,
}
"""Setting that names rows -> what turns the ids sent, in either form, into ids of the organization's own rows."""

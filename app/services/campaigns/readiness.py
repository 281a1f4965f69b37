"""Checks whether a campaign may start: errors that prevent it, by field, and warnings."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.calling_hours import CallingHoursInvalid, is_zone
from app.domain.campaign import Channel
from app.domain.recipient import RecipientStatus
from app.domain.recurrence import RunPeople
from app.domain.templates import (
    SYSTEM_VARIABLES,
    Missing,
    TemplateInvalid,
    check,
)
from app.models import Agent, Campaign, Organization, PhoneNumber, Recipient, Step
from app.services.campaigns.number_warnings import why_carrier_refuses_numbers, why_unusable
from app.services.campaigns.pending_additions import file_not_imported, import_under_way, standing_rule
from app.services.campaigns.rendering import CALL_PARTS, MESSAGE_PARTS, lacking, part_sources, unwritten
from app.services.campaigns.rows import CampaignRows, latest_run
from app.services.campaigns.schedules import (
    PLAN,
    plan_of,
    start_time,
    why_it_cannot_recur,
    why_start_time_is_wrong,
)
from app.services.campaigns.setting_readers import template_problem
from app.services.campaigns.setting_rows import unreadable
from app.services.campaigns.settings import calling_hours_of
from app.services.campaigns.start_hours import far_start_warning, hours_problems
from app.services.numbers.ownership import Known

ALWAYS_KNOWN: Final = (*SYSTEM_VARIABLES, "phone", "contact_name", "contact_company", "notes")
"""Variables that need no column of an import."""

PART_FIELDS: Final[Mapping[str, str]] = {**CALL_PARTS, **MESSAGE_PARTS}


@dataclass(frozen=True, slots=True)
class Readiness:
    """The result of the check."""

    errors: dict[str, str]
    """Setting, or `contacts` -> why a start is refused."""
    warnings: list[str]
    agent: Agent | None
    numbers: tuple[PhoneNumber, ...]
    """The caller IDs that would be used, in their order."""
    chosen: tuple[PhoneNumber, ...]
    """The caller IDs that the campaign names, usable or not."""
    awaits_people: bool
    """There are no people yet, or not all, but a rule or the run's segment adds them."""
    variables: list[str]
    """All variables of the recipients."""


async def check_readiness(
    session: AsyncSession,
    rows: CampaignRows,
    *,
    now: datetime,
    carrier_account_id: int | None = None,
    known: Known | None = None,
) -> Readiness:
    """Return the problems of a start now. With a carrier account, only its numbers are usable.

    `known`: the carrier's answer about the numbers, from just before. Of the people, it only counts them and reads
    which variables they have: a start waits for it.
    """
    campaign, step = rows.campaign, rows.step
    account_id = carrier_account_id or campaign.carrier_account_id
    agent = await session.get(Agent, campaign.agent_id) if campaign.agent_id is not None else None
    chosen = await chosen_numbers(session, campaign, rows.pool, agent)
    numbers = tuple(number for number in chosen if why_unusable(number, campaign.channel, account_id) is None)
    contacts = await _pending(session, campaign.id)
    waiting = await file_not_imported(session, campaign.id)
    filled_later = await people_come_later(session, campaign)
    awaits_people = filled_later or (not contacts and await standing_rule(session, campaign.id))
    unfinished = await import_under_way(session, campaign.id)
    cannot_be_read = unreadable(campaign)
    errors = {
        **_contact_errors(unfinished, waiting, somebody=contacts > 0 or awaits_people),
        **_channel_errors(campaign, agent),
        **_number_errors(campaign, chosen, numbers, account_id, known or {}),
        **cannot_be_read,
        **_time_errors(rows, now),
        **await why_it_cannot_recur(session, campaign, rows.settings, now=now),
        **unwritten(step, agent),
    }
    start = start_time(campaign, now)
    hours = await hours_problems(session, rows, start=max(start or now, now), carrier_account_id=account_id)
    far = far_start_warning(start, now)
    variables = await recipient_variable_names(session, campaign.id)
    template_errors, warnings = (
        ({}, [])  # the settings needed for this cannot be read
        if cannot_be_read
        else _template_problems(campaign, step, agent, variables, awaits_people=awaits_people)
    )
    return Readiness(
        errors=hours.errors | errors | template_errors,
        warnings=[
            *([_AWAITS_PEOPLE] if awaits_people and not filled_later else []),
            *([_NOT_IMPORTED.format(waiting)] if waiting and (contacts or awaits_people) else []),
            *([far] if far else []),
            *hours.warnings,
            *warnings,
        ],
        agent=agent,
        numbers=numbers,
        chosen=tuple(chosen),
        awaits_people=awaits_people,
        variables=variables,
    )


async def what_to_mend(
    session: AsyncSession,
    rows: CampaignRows,
    *,
    now: datetime,
    carrier_account_id: int | None,
    known: Known | None = None,
) -> dict[str, str]:
    """Return what prevents a campaign that has begun from going on: field -> what to do; empty if nothing does.

    It checks the same as a start, but not the people, who may all be under way, and not the times of the schedule,
    which may be at its last.
    """
    readiness = await check_readiness(
        session, rows, now=now, carrier_account_id=carrier_account_id, known=known
    )
    return {field: why for field, why in readiness.errors.items() if field not in _ASKED_AT_START_ONLY}


_ASKED_AT_START_ONLY: Final = frozenset(
    {"contacts", "scheduled_at", *(f"{PLAN}.{field}" for field in ("end_date", "count", "time"))}
)


async def people_come_later(session: AsyncSession, campaign: Campaign) -> bool:
    """Tell whether a job still adds people to the newest run: those of the run before, or of a segment."""
    run = await latest_run(session, campaign.id)
    if run.occurrence_at is not None:
        return run.filled_at is None
    plan = plan_of(campaign)
    return plan is not None and plan.people is RunPeople.SEGMENT


async def chosen_numbers(
    session: AsyncSession, campaign: Campaign, pool: Sequence[int], agent: Agent | None
) -> list[PhoneNumber]:
    """Return the caller IDs in their order: the pool, else the campaign's, agent's or organization's number."""
    ids: list[int | None] = [*pool] or [await _single_number(session, campaign, agent)]
    found = await session.execute(
        select(PhoneNumber).where(
            col(PhoneNumber.id).in_([number for number in ids if number is not None]),
            col(PhoneNumber.organization_id) == campaign.organization_id,
        )
    )
    by_id = {number.id: number for number in found.scalars()}
    return [by_id[number] for number in ids if number in by_id]


async def recipient_variable_names(
    session: AsyncSession, campaign_id: int, *, run_id: int | None = None
) -> list[str]:
    """Return all variables of the recipients: of one run, or of the last two, as the last may have no people yet."""
    given = {"campaign_id": campaign_id, "run_id": run_id}
    return sorted((await session.execute(_VARIABLES, given)).scalars())


async def _single_number(session: AsyncSession, campaign: Campaign, agent: Agent | None) -> int | None:
    if campaign.phone_number_id is not None:
        return campaign.phone_number_id
    if agent is not None and agent.default_phone_number_id is not None:
        return agent.default_phone_number_id
    default = select(col(Organization.default_phone_number_id)).where(
        col(Organization.id) == campaign.organization_id
    )
    return (await session.execute(default)).scalar_one()


async def _pending(session: AsyncSession, campaign_id: int) -> int:
    pending = select(func.count()).where(
        col(Recipient.campaign_id) == campaign_id, col(Recipient.status) == RecipientStatus.PENDING
    )
    return (await session.execute(pending)).scalar_one()


def _contact_errors(unfinished: str | None, waiting: str | None, *, somebody: bool) -> dict[str, str]:
    """Return the errors about the people. `unfinished`: a reason to wait; `waiting`: a file that is not imported.

    `somebody`: there are people, or a rule that adds them.
    """
    if unfinished is not None:
        return {"contacts": unfinished}
    if somebody:
        return {}
    if waiting is not None:
        return {
            "contacts": f"There is nobody to contact yet: “{waiting}” is uploaded but not imported. Import it."
        }
    return {"contacts": "There is nobody to contact yet. Add at least one contact."}


def _channel_errors(campaign: Campaign, agent: Agent | None) -> dict[str, str]:
    if campaign.channel is Channel.MIXED:
        return {"channel": "Campaigns that both call and text are not available yet. Choose call or sms."}
    if campaign.channel is Channel.SMS:
        return {}
    if agent is None:
        return {"agent_id": "Choose the agent who makes the calls."}
    if not agent.active:
        return {"agent_id": f"{agent.name} is not active. Activate this agent, or choose another."}
    return {}


def _number_errors(
    campaign: Campaign,
    chosen: Sequence[PhoneNumber],
    usable: Sequence[PhoneNumber],
    carrier_account_id: int | None,
    known: Known,
) -> dict[str, str]:
    if not chosen:
        return {"phone_number_id": "Choose the number that people will see."}
    field = "number_pool" if len(chosen) > 1 else "phone_number_id"
    if usable:
        refused = why_carrier_refuses_numbers(usable, campaign.channel, known)
        return {field: refused} if refused else {}
    return {field: why_unusable(chosen[0], campaign.channel, carrier_account_id) or ""}


def _time_errors(rows: CampaignRows, now: datetime) -> dict[str, str]:
    campaign = rows.campaign
    errors: dict[str, str] = {}
    if not is_zone(campaign.time_zone):
        errors["time_zone"] = (
            f"There is no time zone “{campaign.time_zone}”. Choose one such as America/New_York."
        )
    try:
        calling_hours_of(rows.settings)
    except CallingHoursInvalid as problem:
        errors[f"allowed_{problem.field}"] = str(problem)
    return errors | why_start_time_is_wrong(campaign, now)


def _template_problems(
    campaign: Campaign, step: Step, agent: Agent | None, names: Sequence[str], *, awaits_people: bool
) -> tuple[dict[str, str], list[str]]:
    """Return errors by field, and warnings: wrong syntax, and variables without a value for any recipient.

    While there are no people yet (`awaits_people`), missing values are only a warning.
    """
    known = [*ALWAYS_KNOWN, *names]
    errors: dict[str, str] = {}
    warnings: list[str] = []
    sources = part_sources(step, agent)
    for part, source in sources.items():
        field = PART_FIELDS[part]
        try:
            check(source)
            unknown = lacking(campaign, source, known)
        except TemplateInvalid as error:
            errors[field] = template_problem(error)
            continue
        if unknown and awaits_people:
            warnings.append(
                f"Whether those who come have a value for {_braced(unknown)} is not known yet. "
                "Give a fallback value, in case they have none."
            )
        elif unknown and campaign.missing is Missing.FALLBACK:
            has = f" The list has: {', '.join(names)}." if names else ""
            fix = "Correct the name or give a fallback value."
            errors[field] = f"Nobody has a value for {_braced(unknown)}. {fix}{has}"
        elif unknown:
            warnings.append(f"Nobody has a value for {_braced(unknown)}.")
    if (
        not errors
        and "company" in names
        and campaign.company_meaning == "organization"
        and any("company" in _names(source) for source in sources.values())
    ):
        warnings.append(_COMPANY)
    return errors, warnings


def _braced(names: Iterable[str]) -> str:
    return ", ".join(f"{{{{{name}}}}}" for name in names)


def _names(source: str) -> tuple[str, ...]:
    try:
        return check(source)
    except TemplateInvalid:
        return ()


_AWAITS_PEOPLE: Final = (
    "Nobody matches the campaign's rule yet. It starts and waits: new matches are contacted then."
)

_NOT_IMPORTED: Final = "“{}” is uploaded but not imported: its people will not be contacted."

_COMPANY: Final = (
    "{{company}} says your organization's name, but the list has a company column too. "
    "For the contact's company write {{contact_company}}."
)

_VARIABLES: Final = text(
    """
    SELECT DISTINCT jsonb_object_keys(variables) FROM recipient
    WHERE campaign_id = :campaign_id
      AND run_id = ANY (CASE WHEN CAST(:run_id AS bigint) IS NOT NULL THEN ARRAY[CAST(:run_id AS bigint)]
                        ELSE ARRAY(SELECT id FROM run WHERE campaign_id = :campaign_id
                                   ORDER BY number DESC LIMIT 2) END)
    """
)

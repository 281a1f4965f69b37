"""Before a start: the pre-flight check, and the preview of one contact's message."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.campaign import Channel
from app.domain.pacing import PacingLimits, most_per_minute
from app.domain.phone import pretty
from app.domain.recipient import RecipientStatus
from app.domain.rights import Right
from app.domain.sms import segments
from app.domain.templates import (
    SMS_LIMIT,
    SPOKEN_LIMIT,
    MissingVariable,
    TemplateInvalid,
    Untellable,
    variable_name,
)
from app.models import Agent, Campaign, Contact, Recipient, Step
from app.services.access.principal import Principal, authorize
from app.services.campaigns.eligibility import count_eligible
from app.services.campaigns.number_warnings import number_warnings
from app.services.campaigns.readiness import (
    ALWAYS_KNOWN,
    PART_FIELDS,
    check_readiness,
    recipient_variable_names,
)
from app.services.campaigns.rendering import (
    attempt_variables,
    lacking,
    part_sources,
    render_attempt_texts,
    rendered,
)
from app.services.campaigns.rows import CampaignRows, load_rows
from app.services.campaigns.schedules import start_time
from app.services.campaigns.setting_declaration import Group
from app.services.campaigns.setting_readers import template_problem
from app.services.campaigns.settings import SETTINGS, read_setting
from app.services.campaigns.views import Eligibility, MessagePreview, Preflight
from app.services.errors import NotFound
from app.services.field_readers import Unacceptable
from app.services.numbers.carriers import CarrierIdentity, carrier_account_id
from app.services.places.hours import NOWHERE, opening_at, rules_of_campaign
from app.services.places.openings import next_opening, waiting_places
from app.services.refs import Ref

SAMPLE: Final = 200
"""How many contacts' messages are rendered to find long ones."""

TYPICAL_CALL_SECONDS: Final = 60
"""How long one call takes a slot, for the estimate."""

_PREVIEWED: Final = frozenset(name for name, each in SETTINGS.items() if each.group is Group.MESSAGE)


@dataclass(frozen=True, slots=True)
class _Person:
    contact: Contact
    variables: Mapping[str, object]


async def preflight(
    session: AsyncSession,
    *,
    principal: Principal,
    campaign_ref: Ref,
    now: datetime,
    carrier: CarrierIdentity | None = None,
) -> Preflight:
    """Return the result of the check, for that carrier account if one is given. Raises `NotFound`."""
    authorize(principal, Right.VIEW)
    rows = await load_rows(session, principal, campaign_ref)
    account_id = await carrier_account_id(session, carrier) if carrier is not None else None
    readiness = await check_readiness(session, rows, now=now, carrier_account_id=account_id)
    people = await count_eligible(session, rows, agent=readiness.agent, names=readiness.variables, now=now)
    texts = await _sample(session, rows, readiness.agent, principal.organization_name)
    is_text = rows.campaign.channel is Channel.SMS
    parts = [segments(rendered["body"]).parts for rendered in texts] if is_text else []
    return Preflight(
        errors=readiness.errors,
        warnings=[
            *readiness.warnings,
            *_people_warnings(people, {*ALWAYS_KNOWN, *readiness.variables}),
            *number_warnings(
                rows.campaign,
                readiness.chosen,
                account_id or rows.campaign.carrier_account_id,
                contacts=people.contacted,
                now=now,
            ),
            *_length_warnings(texts),
        ],
        people=people,
        awaits_people=readiness.awaits_people,
        estimated_minutes=_minutes(rows.campaign, readiness.agent, people.contacted),
        numbers=[pretty(number.number) for number in readiness.numbers],
        first_call_at=await _first_call_at(session, rows, now) if not readiness.errors else None,
        sms_segments_max=max(parts, default=None),
    )


async def start_problems(
    session: AsyncSession, *, principal: Principal, campaign_ref: Ref, now: datetime
) -> dict[str, str]:
    """Return why a start now would be refused, by field, without counting people. Raises `NotFound`."""
    authorize(principal, Right.VIEW)
    rows = await load_rows(session, principal, campaign_ref)
    return (await check_readiness(session, rows, now=now)).errors


async def preview_message(
    session: AsyncSession,
    *,
    principal: Principal,
    campaign_ref: Ref,
    contact_id: int | None = None,
    overrides: Mapping[str, object] | None = None,
) -> MessagePreview:
    """Return the message of a contact; `overrides` are unsaved templates, fallbacks or `missing`.

    Without `contact_id` it is the campaign's first contact, else the newest of the address book. If there is none,
    every variable has its fallback. Raises `NotFound`.
    """
    authorize(principal, Right.VIEW)
    rows = await load_rows(session, principal, campaign_ref)
    campaign, step, errors = _overridden(rows, overrides or {})
    agent = await session.get(Agent, campaign.agent_id) if campaign.agent_id is not None else None
    person = await _person(session, principal, campaign, contact_id)
    values = attempt_variables(campaign, agent, principal.organization_name, person.contact, person.variables)
    texts, lacking = _render_parts(campaign, step, agent, values, errors)
    names = await recipient_variable_names(session, campaign.id)
    return MessagePreview(
        contact_name=person.contact.name,
        number=person.contact.number,
        texts=texts,
        unresolved=lacking,
        errors=errors,
        variables=list(dict.fromkeys([*ALWAYS_KNOWN, *names])),
        values=values,
    )


def _overridden(rows: CampaignRows, overrides: Mapping[str, object]) -> tuple[Campaign, Step, dict[str, str]]:
    """Return copies of the rows with the unsaved texts, and the errors in these."""
    changed: dict[str, object] = {}
    errors: dict[str, str] = {}
    for name, raw in overrides.items():
        if name in _PREVIEWED:
            try:
                changed[name] = read_setting(name, raw)
            except Unacceptable as problem:
                errors[name] = str(problem)
    on_step = {name: value for name, value in changed.items() if name in PART_FIELDS.values()}
    on_campaign = {name: value for name, value in changed.items() if name not in on_step}
    campaign = Campaign(**rows.campaign.model_dump() | on_campaign)
    return campaign, Step(**rows.step.model_dump() | on_step), errors


def _render_parts(
    campaign: Campaign, step: Step, agent: Agent | None, values: Mapping[str, str], errors: dict[str, str]
) -> tuple[dict[str, str], list[str]]:
    texts: dict[str, str] = {}
    without: dict[str, None] = {}
    for part, source in part_sources(step, agent).items():
        try:
            without |= dict.fromkeys(lacking(campaign, source, values))
            texts[part] = rendered(campaign, source, values)
        except TemplateInvalid as error:
            errors.setdefault(PART_FIELDS[part], template_problem(error))
        except MissingVariable:
            texts[part] = ""
    return texts, list(without)


async def _person(
    session: AsyncSession, principal: Principal, campaign: Campaign, contact_id: int | None
) -> _Person:
    mine = select(Contact).where(col(Contact.organization_id) == principal.organization_id)
    listed = (
        select(Contact, col(Recipient.variables))
        .join(Recipient, col(Recipient.contact_id) == col(Contact.id))
        .where(col(Recipient.campaign_id) == campaign.id)
        .order_by(col(Recipient.position))
        .limit(1)
    )
    if contact_id is not None:
        mine, listed = mine.where(col(Contact.id) == contact_id), listed.where(col(Contact.id) == contact_id)
    found = (await session.execute(listed)).one_or_none()
    if found is not None:
        return _Person(*found)
    contact = (await session.execute(mine.order_by(col(Contact.id).desc()).limit(1))).scalar_one_or_none()
    if contact is None and contact_id is not None:
        raise NotFound("contact", contact_id)
    return _Person(contact, contact.fields) if contact is not None else _Person(_nobody(campaign), {})


def _nobody(campaign: Campaign) -> Contact:
    return Contact(
        organization_id=campaign.organization_id,
        number="",
        created_at=campaign.created_at,
        updated_at=campaign.updated_at,
    )


async def _sample(
    session: AsyncSession, rows: CampaignRows, agent: Agent | None, organization_name: str
) -> list[dict[str, str]]:
    """Return the texts of the first contacts who can be rendered."""
    people = await session.execute(
        select(Contact, col(Recipient.variables))
        .join(Recipient, col(Recipient.contact_id) == col(Contact.id))
        .where(
            col(Recipient.campaign_id) == rows.campaign.id,
            col(Recipient.status) == RecipientStatus.PENDING,
        )
        .order_by(col(Recipient.position))
        .limit(SAMPLE)
    )
    texts = []
    for contact, variables in people:
        try:
            texts.append(
                render_attempt_texts(rows.step, rows.campaign, agent, organization_name, contact, variables)
            )
        except (TemplateInvalid, Untellable):
            continue
    return texts


def _people_warnings(people: Eligibility, known: Collection[str]) -> list[str]:
    """Return warnings about the people who will be contacted: missing values, and people who must wait.

    Variables that are not `known` are left out: no recipient has them, and another warning says so.
    """
    warnings = [
        f"{_contacts(count, 'has', 'have')} no value for {{{{{name}}}}}."
        for name, count in people.lacking.items()
        if variable_name(name) in known
    ]
    if people.capped:
        warnings.append(
            f"{_contacts(people.capped, 'has', 'have')} been contacted as often as the organization's frequency cap"
            " allows, all campaigns counted: they wait until it lets them."
        )
    return warnings


def _contacts(count: int, one: str, many: str) -> str:
    return f"1 contact {one}" if count == 1 else f"{count:,} contacts {many}"


def _length_warnings(texts: list[dict[str, str]]) -> list[str]:
    longest: dict[str, int] = {}
    for each in texts:
        for part, said in each.items():
            longest[part] = max(longest.get(part, 0), len(said))
    return [
        f"The {part} has up to {length:,} characters; the carrier takes {_limit(part):,}."
        for part, length in longest.items()
        if length > _limit(part)
    ]


def _limit(part: str) -> int:
    return SMS_LIMIT if part == "body" else SPOKEN_LIMIT


def _minutes(campaign: Campaign, agent: Agent | None, contacts: int) -> int | None:
    """Return how long the first round takes at the campaign's own pace, in whole minutes, rounded up."""
    if not contacts:
        return None
    of_agent = agent.max_concurrent_calls if agent is not None else 0
    limits = replace(PacingLimits.of(vars(campaign)), agent_concurrency=of_agent)
    return max(1, -int(-contacts // most_per_minute(limits, seconds_a_call=TYPICAL_CALL_SECONDS)))


async def _first_call_at(session: AsyncSession, rows: CampaignRows, now: datetime) -> datetime | None:
    """Return when the first of the campaign's people may be contacted after its start; None: never, or not known."""
    campaign = rows.campaign
    start = start_time(campaign, now) or now
    rules = await rules_of_campaign(session, campaign)
    if rules is None:
        return None
    places = await waiting_places(session, {campaign.id: rules}, now=start)
    if not places:
        return opening_at(rules, NOWHERE, now=start).opens_at
    return next_opening(places, campaign.id, now=start)

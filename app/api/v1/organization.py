"""The organization's settings, and the switch that stops all its dialing."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.caller import Caller, Keyed, KeyedRoute, Repeatable
from app.api.v1.fields import Body, Moment, RefField, at_most
from app.domain.legal_policy import LegalPolicy, ZoneTrust
from app.services.access.legal_policies import legal_policy_history, legal_table
from app.services.access.organizations import organization_settings, update_organization
from app.services.dialing.kill_switch import resume_all_dialing, stop_all_dialing

router = APIRouter(tags=["organization"], route_class=KeyedRoute)


class BlackoutBody(Body, extra="allow"):
    """Days without any call or text."""

    from_: str | None = Field(None, alias="from", examples=["2026-12-24"])
    until: str | None = Field(None, description="Included. Default: `from`.", examples=["2026-12-26"])
    name: str | None = Field(None, examples=["Inventory"])


class OrganizationBody(Body):
    """The settings that can be changed."""

    name: Annotated[str, at_most(200)] | None = None
    time_zone: Annotated[str, at_most(64)] | None = None
    default_region: Annotated[str, at_most(2)] | None = Field(
        None, description="The country of numbers without a country code."
    )
    strict_numbers: bool | None = Field(None, description="Reject numbers that are possible but not valid.")
    outbound_limit: int | None = Field(None, description="Most calls at once, in all campaigns together.")
    frequency_cap: int | None = Field(
        None,
        description="Most attempts to one phone number within `frequency_cap_hours`, in all campaigns. "
        "Default 3; 0 is no cap.",
    )
    frequency_cap_hours: int | None = Field(None, description="1 to 720. Default 24.")
    default_phone_number_id: RefField | None = None
    zone_trust: ZoneTrust | None = Field(
        None,
        description="`own`: a contact's own time zone or state replaces what its number says. `both`: hours must hold "
        "in both. Default own.",
    )
    legal_policy: LegalPolicy | None = Field(
        None,
        description="`law`: the legal hours where people are. `strict`: over and above them 09:00 to 20:00, Monday to "
        "Saturday, no public holidays, 3 attempts in 24 hours. `off`: none. Default law.",
    )
    legal_policy_reason: Annotated[str, at_most(500)] | None = Field(
        None, description="Needed for a looser policy, and kept."
    )
    blackout_dates: list[BlackoutBody] | None = Field(
        None, description="All dates without any call or text, by the calendar where people are."
    )


class Blackout(BaseModel):
    """Days without any call or text."""

    from_: str = Field(alias="from")
    until: str = Field(description="Included.")
    name: str


class OrganizationAnswer(BaseModel):
    """The organization's settings."""

    name: str
    slug: str
    time_zone: str
    default_region: str
    strict_numbers: bool
    outbound_limit: int
    frequency_cap: int
    frequency_cap_hours: int
    default_phone_number_id: int | None
    dialing_stopped_at: Moment | None
    dialing_stopped_by: str | None
    zone_trust: ZoneTrust
    legal_policy: LegalPolicy
    blackout_dates: list[Blackout]


class PolicyChange(BaseModel):
    """One change of the organization's policy on legal hours."""

    old: LegalPolicy
    new: LegalPolicy
    reason: str
    actor: str
    at: Moment


class LegalRuleAnswer(BaseModel):
    """What one law says."""

    law: str = Field(
        description="Country, or country and state: `US-FL`. `*` is every country without a rule."
    )
    name: str
    hours: str = Field(
        description="In words, in the person's own time.", examples=["08:00 to 20:00, every day"]
    )
    closed_on_holidays: bool
    attempts_per_day: int | None = Field(description="Most attempts to one phone number in any 24 hours.")
    source: str
    verify: bool = Field(
        description="Sources disagree, or the original was not read: the careful value is here."
    )


class LegalHoursAnswer(BaseModel):
    """The table of legal hours that this installation goes by."""

    version: str
    rules: list[LegalRuleAnswer]


@router.get("/organization")
async def show(caller: Keyed) -> OrganizationAnswer:
    """Return the settings of the key's organization."""
    async with caller.reading() as session:
        return await _shown(session, caller)


@router.patch("/organization", response_model=OrganizationAnswer)
async def change(body: OrganizationBody, caller: Repeatable) -> Response:
    """Change settings. Fields that are not sent stay as they are."""

    async def work(session: AsyncSession) -> OrganizationAnswer:
        await update_organization(session, principal=caller.principal, changes=body.sent(), now=caller.now)
        return await _shown(session, caller)

    return await caller.once(work, status=HTTPStatus.OK)


@router.get("/organization/legal-policy-changes")
async def policy_changes(caller: Keyed) -> list[PolicyChange]:
    """Return all changes of the policy on legal hours with their reasons, the newest first."""
    async with caller.reading() as session:
        history = await legal_policy_history(session, principal=caller.principal)
    return [
        PolicyChange(**{name: getattr(each, name) for name in PolicyChange.model_fields}) for each in history
    ]


@router.get("/legal-hours")
async def legal_hours(caller: Keyed) -> LegalHoursAnswer:
    """Return when people may be contacted by law, by country and state, with sources."""
    table = legal_table(principal=caller.principal)
    rules = [
        LegalRuleAnswer(**{name: getattr(each, name) for name in LegalRuleAnswer.model_fields})
        for each in table.rules
    ]
    return LegalHoursAnswer(version=table.version, rules=rules)


@router.post("/dialing/stop", response_model=OrganizationAnswer)
async def stop(caller: Repeatable) -> Response:
    """Stop all dialing: nothing is placed until it is resumed. Calls in progress are not cut off."""

    async def work(session: AsyncSession) -> OrganizationAnswer:
        await stop_all_dialing(session, principal=caller.principal, now=caller.now)
        return await _shown(session, caller)

    return await caller.once(work, status=HTTPStatus.OK)


@router.post("/dialing/resume", response_model=OrganizationAnswer)
async def resume(caller: Repeatable) -> Response:
    """Allow dialing again. Campaigns continue where they stopped."""

    async def work(session: AsyncSession) -> OrganizationAnswer:
        await resume_all_dialing(session, principal=caller.principal, now=caller.now)
        return await _shown(session, caller)

    return await caller.once(work, status=HTTPStatus.OK)


async def _shown(session: AsyncSession, caller: Caller) -> OrganizationAnswer:
    view = await organization_settings(session, principal=caller.principal)
    return OrganizationAnswer(**{name: getattr(view, name) for name in OrganizationAnswer.model_fields})

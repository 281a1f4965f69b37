"""The organization's settings, and the switch that stops all its dialing."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.caller import Caller, Keyed, KeyedRoute, Repeatable
from app.api.v1.fields import Body, Moment, RefField, at_most
from app.services.access.organizations import organization_settings, update_organization
from app.services.dialing.kill_switch import resume_all_dialing, stop_all_dialing

router = APIRouter(tags=["organization"], route_class=KeyedRoute)


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

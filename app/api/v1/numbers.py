"""Our numbers: caller IDs and senders of texts."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.caller import Caller, Keyed, KeyedRoute, Repeatable
from app.api.v1.fields import Body, Moment, Ref
from app.services.numbers.operations import create_number, set_number_active, update_number
from app.services.numbers.queries import NumberView, get_number, list_numbers

router = APIRouter(prefix="/numbers", tags=["numbers"], route_class=KeyedRoute)


class NumberBody(Body):
    """What may be changed of a number. The number itself stays: attempts were made from it."""

    label: str | None = None
    voice: bool | None = None
    sms: bool | None = None
    active: bool | None = None


class NewNumber(NumberBody):
    """A number of ours."""

    phone_number: str = Field(examples=["+12025550143"])


class NumberAnswer(BaseModel):
    """One of our numbers."""

    id: int
    public_id: UUID
    phone_number: str
    label: str
    voice: bool
    sms: bool
    active: bool
    carrier: str
    is_default: bool
    campaigns_count: int
    calls_made: int
    inbound_problem: str = Field(
        description="Why a STOP texted to this number does not reach us. Empty: it does, or nobody has looked."
    )
    created_at: Moment


class Numbers(BaseModel):
    """All numbers."""

    items: list[NumberAnswer]
    total: int


@router.get("")
async def index(caller: Keyed, *, active_only: bool = False) -> Numbers:
    """List the organization's numbers."""
    async with caller.reading() as session:
        found = await list_numbers(session, principal=caller.principal, active_only=active_only)
    return Numbers(items=[number_answer(view) for view in found], total=len(found))


@router.post("", status_code=HTTPStatus.CREATED, response_model=NumberAnswer)
async def create(body: NewNumber, caller: Repeatable) -> Response:
    """Add a number that the carrier account owns."""
    changes, active = _split(body)
    changes["number"] = changes.pop("phone_number")

    async def work(session: AsyncSession) -> NumberAnswer:
        number_id = await create_number(session, principal=caller.principal, changes=changes, now=caller.now)
        return await _switched(session, caller, number_id, active)

    return await caller.once(work)


@router.get("/{number_id}")
async def show(number_id: Ref, caller: Keyed) -> NumberAnswer:
    """Return one number."""
    async with caller.reading() as session:
        return number_answer(await get_number(session, principal=caller.principal, number_ref=number_id))


@router.patch("/{number_id}")
@router.put("/{number_id}")
async def change(number_id: Ref, body: NumberBody, caller: Keyed) -> NumberAnswer:
    """Change a number's label and what it is for; what is not sent stays as it is."""
    changes, active = _split(body)
    async with caller.writing() as session:
        await update_number(
            session, principal=caller.principal, number_ref=number_id, changes=changes, now=caller.now
        )
        return await _switched(session, caller, number_id, active)


@router.delete("/{number_id}", status_code=HTTPStatus.NO_CONTENT)
async def deactivate(number_id: Ref, caller: Keyed) -> None:
    """Switch a number off: nothing is placed from it any more. What was is kept. 409 while it is in use."""
    async with caller.writing() as session:
        await _switched(session, caller, number_id, active=False)


def number_answer(view: NumberView) -> NumberAnswer:
    """Return a number as it is answered."""
    same = NumberAnswer.model_fields.keys() - {"phone_number"}
    return NumberAnswer(phone_number=view.number, **{name: getattr(view, name) for name in same})


def _split(body: NumberBody) -> tuple[dict[str, Any], bool | None]:
    changes = body.sent()
    return changes, changes.pop("active", None)


async def _switched(
    session: AsyncSession,
    caller: Caller,
    number_ref: int | str,
    active: bool | None,  # noqa: FBT001  # private
) -> NumberAnswer:
    if active is not None:
        await set_number_active(
            session, principal=caller.principal, number_ref=number_ref, active=active, now=caller.now
        )
    return number_answer(await get_number(session, principal=caller.principal, number_ref=number_ref))

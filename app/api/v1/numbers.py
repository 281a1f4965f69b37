"""Our numbers: caller IDs and senders of texts."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.caller import Caller, Keyed, KeyedRoute, Repeatable
from app.api.v1.fields import Body, Moment, Ref, at_most
from app.domain.number_health import NumberRest
from app.services.numbers.adding import create_number
from app.services.numbers.operations import set_number_active, update_number
from app.services.numbers.ownership import ask_about_change, ask_about_new
from app.services.numbers.queries import NumberView, calls_in_a_day, get_number, list_numbers
from app.services.numbers.resting import rest_number, resume_number

router = APIRouter(prefix="/numbers", tags=["numbers"], route_class=KeyedRoute)


class NumberBody(Body):
    """The fields of a number that can be changed. The number itself cannot: attempts refer to it."""

    label: Annotated[str, at_most(200)] | None = None
    voice: bool | None = None
    sms: bool | None = None
    active: bool | None = None
    daily_cap: int | None = Field(
        None, description="Most calls in any 24 hours, in all campaigns. Default 0: no cap."
    )
    burst_cap: int | None = Field(
        None, description="Most calls within `burst_minutes`; then it cools down. Default 0: no cap."
    )
    burst_minutes: int | None = Field(None, description="1 to 1,440. Default 10.")
    cool_down_minutes: int | None = Field(
        None, description="From the last call of a burst, 0 to 1,440. Default 30."
    )


class RestBody(Body):
    """A rest of a number."""

    until: AwareDatetime | None = Field(
        None, description="ISO 8601 with an offset, in the future; null: until resumed."
    )
    why: str = Field("", max_length=500, description="For your colleagues.")


class NewNumber(NumberBody):
    """A number to add."""

    phone_number: str = Field(examples=["+12025550143"])


class RestAnswer(BaseModel):
    """Why a number makes no calls now."""

    reason: NumberRest = Field(description="`flagged` by a network, `low_answer_rate`, or `manual`.")
    why: str = Field(description="The evidence, in a sentence.")
    since: Moment | None
    until: Moment | None = Field(description="null: until resumed.")


class NumberAnswer(BaseModel):
    """One of our numbers."""

    id: int
    public_id: UUID
    phone_number: str
    label: str
    voice: bool
    sms: bool
    active: bool
    inactive_why: str = Field(
        description="Why it was deactivated; empty if a user did it, or if it is active."
    )
    carrier: str
    is_default: bool
    campaigns_count: int
    calls_made: int
    calls_last_24_hours: int = Field(description="What `daily_cap` counts.")
    daily_cap: int
    burst_cap: int
    burst_minutes: int
    cool_down_minutes: int
    rest: RestAnswer | None = Field(description="null: it does not rest.")
    inbound_problem: str = Field(
        description="Why texts to this number, such as STOP, do not reach us. Empty: they do, or it was not checked."
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
        calls = await calls_in_a_day(session, principal=caller.principal, now=caller.now)
    answers = [number_answer(view, calls.get(view.id, 0), caller.now) for view in found]
    return Numbers(items=answers, total=len(found))


@router.post("", status_code=HTTPStatus.CREATED, response_model=NumberAnswer)
async def create(body: NewNumber, caller: Repeatable) -> Response:
    """Add a number that the carrier account has, and no other organization of this installation.

    `voice` and `sms` are what the carrier says, unless sent. 503: the carrier could not be asked, nothing was added.
    """
    changes, active = _split(body)
    changes["number"] = changes.pop("phone_number")
    said = await ask_about_new(
        caller.context.database,
        principal=caller.principal,
        given=changes["number"],
        account=caller.carrier_account(),
    )

    async def work(session: AsyncSession) -> NumberAnswer:
        number_id = await create_number(
            session, principal=caller.principal, changes=changes, said=said, now=caller.now
        )
        return await _switched(session, caller, number_id, active)

    return await caller.once(work)


@router.get("/{number_id}")
async def show(number_id: Ref, caller: Keyed) -> NumberAnswer:
    """Return one number."""
    async with caller.reading() as session:
        return await _shown(session, caller, number_id)


@router.patch("/{number_id}", response_model=NumberAnswer)
@router.put("/{number_id}", response_model=NumberAnswer)
async def change(number_id: Ref, body: NumberBody, caller: Repeatable) -> Response:
    """Change a number's label, caps and use. Fields that are not sent stay as they are."""
    changes, active = _split(body)
    said = await ask_about_change(
        caller.context.database,
        principal=caller.principal,
        number_ref=number_id,
        changes=changes,
        account=caller.carrier_account,
    )

    async def work(session: AsyncSession) -> NumberAnswer:
        await update_number(
            session,
            principal=caller.principal,
            number_ref=number_id,
            changes=changes,
            said=said,
            now=caller.now,
        )
        return await _switched(session, caller, number_id, active)

    return await caller.once(work, status=HTTPStatus.OK)


@router.delete("/{number_id}", status_code=HTTPStatus.NO_CONTENT)
async def deactivate(number_id: Ref, caller: Repeatable) -> Response:
    """Deactivate a number: nothing is placed from it. Its history is kept. 409 while it is in use."""
    return await caller.gone_once(lambda session: _switched(session, caller, number_id, active=False))


@router.post("/{number_id}/rest", response_model=NumberAnswer)
async def rest(number_id: Ref, caller: Repeatable, body: RestBody | None = None) -> Response:
    """Rest a number: it makes no calls for a while. Campaigns use their other numbers, or wait."""
    given = body or RestBody()

    async def work(session: AsyncSession) -> NumberAnswer:
        await rest_number(
            session,
            principal=caller.principal,
            number_ref=number_id,
            until=given.until,
            why=given.why,
            now=caller.now,
        )
        return await _shown(session, caller, number_id)

    return await caller.once(work, status=HTTPStatus.OK)


@router.post("/{number_id}/resume", response_model=NumberAnswer)
async def resume(number_id: Ref, caller: Repeatable) -> Response:
    """End the rest of a number, whatever its reason. 409 if it does not rest."""

    async def work(session: AsyncSession) -> NumberAnswer:
        await resume_number(session, principal=caller.principal, number_ref=number_id, now=caller.now)
        return await _shown(session, caller, number_id)

    return await caller.once(work, status=HTTPStatus.OK)


def number_answer(view: NumberView, calls: int, now: datetime) -> NumberAnswer:
    """Return the API's answer for a number. `calls`: how many it started in the last 24 hours."""
    same = NumberAnswer.model_fields.keys() - {"phone_number", "calls_last_24_hours", "rest"}
    return NumberAnswer(
        phone_number=view.number,
        calls_last_24_hours=calls,
        rest=_rest(view, now),
        **{name: getattr(view, name) for name in same},
    )


def _rest(view: NumberView, now: datetime) -> RestAnswer | None:
    if view.rest is None or not view.is_resting(now):
        return None
    return RestAnswer(reason=view.rest, why=view.rest_why, since=view.rested_at, until=view.resting_until)


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
    return await _shown(session, caller, number_ref)


async def _shown(session: AsyncSession, caller: Caller, number_ref: int | str) -> NumberAnswer:
    view = await get_number(session, principal=caller.principal, number_ref=number_ref)
    calls = await calls_in_a_day(session, principal=caller.principal, now=caller.now)
    return number_answer(view, calls.get(view.id, 0), caller.now)

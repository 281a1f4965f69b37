"""Numbers never to contact."""

from http import HTTPStatus

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.caller import Caller, Keyed, KeyedRoute, Repeatable
from app.api.v1.fields import Body, Listing, Moment, PageNumber, PageSize, RowId, Search, listing
from app.domain.phone import normalize
from app.models import SuppressionScope
from app.services.access.organizations import organization_settings
from app.services.errors import NotFound
from app.services.suppression.operations import lift, suppress_contact
from app.services.suppression.queries import SuppressionView, list_suppressions, suppressions_of

router = APIRouter(prefix="/suppressions", tags=["suppressions"], route_class=KeyedRoute)


class SuppressionBody(Body):
    """A number never to contact; it need not be in the address book."""

    phone_number: str = Field(examples=["+15551234567"])
    scope: SuppressionScope = SuppressionScope.ALL
    reason: str = ""


class LiftBody(Body):
    """Why the number may be contacted again."""

    reason: str


class SuppressionAnswer(BaseModel):
    """A number never to contact; with `lifted_at`, one that was."""

    id: int
    phone_number: str
    scope: str
    reason: str
    source: str
    actor: str
    created_at: Moment
    lifted_at: Moment | None
    lifted_by: str | None
    lift_reason: str | None


class Lifted(BaseModel):
    """The number is open again."""

    id: int
    lifted: bool


@router.get("")
async def index(
    caller: Keyed,
    *,
    search: Search = "",
    lifted: bool = False,
    page: PageNumber = 1,
    page_size: PageSize = 50,
) -> Listing[SuppressionAnswer]:
    """List the suppressions that stand (`lifted`: those lifted), the newest first."""
    async with caller.reading() as session:
        found = await list_suppressions(
            session,
            principal=caller.principal,
            search=search,
            lifted=lifted,
            page=page,
            page_size=page_size,
        )
    return listing(found, suppression_answer)


@router.post("", status_code=HTTPStatus.CREATED, response_model=SuppressionAnswer)
async def create(body: SuppressionBody, caller: Repeatable) -> Response:
    """Never contact this number again. One that is suppressed already stays so."""

    async def work(session: AsyncSession) -> SuppressionAnswer:
        await suppress_contact(
            session,
            principal=caller.principal,
            number=body.phone_number,
            scope=body.scope,
            reason=body.reason,
            now=caller.now,
        )
        return suppression_answer(await _standing(session, caller, body))

    return await caller.once(work)


@router.post("/{suppression_id}/lift", response_model=Lifted)
async def open_again(suppression_id: RowId, body: LiftBody, caller: Repeatable) -> Response:
    """Let the number be contacted again. The row stays: history is evidence."""

    async def work(session: AsyncSession) -> Lifted:
        await lift(
            session,
            principal=caller.principal,
            suppression_id=suppression_id,
            reason=body.reason,
            now=caller.now,
        )
        return Lifted(id=suppression_id, lifted=True)

    return await caller.once(work, status=HTTPStatus.OK)


def suppression_answer(view: SuppressionView) -> SuppressionAnswer:
    """Return a suppression as it is answered."""
    same = SuppressionAnswer.model_fields.keys() - {"phone_number"}
    return SuppressionAnswer(phone_number=view.number, **{name: getattr(view, name) for name in same})


async def _standing(session: AsyncSession, caller: Caller, body: SuppressionBody) -> SuppressionView:
    """Return the suppression that now closes the number: of this scope, or one that covers it."""
    settings = await organization_settings(session, principal=caller.principal)
    number = normalize(body.phone_number, region=settings.default_region).e164
    found = await suppressions_of(session, principal=caller.principal, number=number)
    closing = [view for view in found if view.lifted_at is None]
    for scope in (body.scope, SuppressionScope.ALL):
        for view in closing:
            if view.scope is scope:
                return view
    raise NotFound("suppression of", number)

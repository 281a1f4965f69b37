"""A campaign's contacts: list, add, retry, skip, remove. Ids are this list's, not the address book's."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.caller import Caller, Keyed, KeyedRoute, Repeatable
from app.api.v1.attempt_answers import AttemptAnswer, attempt_answer
from app.api.v1.fields import (
    Body,
    Listing,
    Moment,
    PageNumber,
    PageSize,
    Ref,
    RowId,
    RowIds,
    RunNumber,
    Search,
    at_most,
    listing,
)
from app.domain.recipient import RecipientStatus
from app.domain.waiting import SkipReason, WaitReason
from app.services.campaigns.adding import add_contacts, add_manual
from app.services.campaigns.call_log import get_recipient, list_recipients
from app.services.campaigns.recipients import remove_recipients, retry_recipients, skip_recipients
from app.services.campaigns.views import BulkResult, RecipientRow
from app.services.campaigns.waiting import Because
from app.services.dialing.explain import Explanation, explain
from app.services.errors import Conflict, FieldErrors, NotFound

router = APIRouter(
    prefix="/campaigns/{campaign_id}/contacts", tags=["campaign contacts"], route_class=KeyedRoute
)


class WaitingFor(BaseModel):
    """What a contact waits for."""

    rule: str = Field(
        description="`due` (their turn), `retry` (the time of the next attempt), or the rule that holds them back: "
        "`calling_hours`, `hold`, `number_in_use`, `frequency`, `campaign_state`, `stop_switch`, `caller_id`, "
        "`pacing`, `budget`, `pilot`, `ramp`; `suppression`, `consent`, `template` and `attempts` end them then."
    )
    until: Moment | None = Field(description="When to look again; null: no time is awaited.")
    why: str = Field(description="A sentence. Its times are on the clock of `time_zone`.")
    clock: str = Field(description="`contact`: where they are; `campaign`: their zone is not known.")
    time_zone: str


class CampaignContact(BaseModel):
    """A contact in a campaign."""

    id: int
    contact_id: int = Field(description="Their id in the address book.")
    position: int
    name: str
    phone_number: str
    email: str
    status: str
    attempts_made: int
    attempts_allowed: int
    last_outcome: str | None
    last_attempt_at: Moment | None
    last_error: str | None
    next_attempt_at: Moment | None
    blocked_by: str | None
    blocked_why: str | None
    why: str = Field(description="Why they are contacted now, wait or have ended, as a sentence.")
    waiting_for: WaitingFor | None = Field(description="null: they do not wait.")
    actions: list[str]


class Change(BaseModel):
    """One change of the status."""

    old: str
    new: str
    reason: str
    at: Moment
    actor: str


class CampaignContactDetail(CampaignContact):
    """A contact in a campaign with its history."""

    variables: dict[str, Any]
    attempts: list[AttemptAnswer]
    history: list[Change]


class AddBody(Body):
    """Contacts to add: one by number, or several of the address book by id."""

    phone_number: str | None = None
    name: Annotated[str, at_most(200)] = ""
    variables: dict[str, Any] = Field(default_factory=dict)
    contact_ids: RowIds | None = Field(None, min_length=1, max_length=10_000)


class Added(BaseModel):
    """The result."""

    added: int
    duplicates: int = Field(description="Already in the campaign.")
    suppressed: int = Field(description="Added as skipped: they must not be contacted.")
    warnings: list[str]


class ManyBody(Body):
    """The contacts of a bulk action: these `ids`, those that match `statuses` and `search`, or `everyone`."""

    ids: RowIds | None = Field(None, max_length=10_000)
    statuses: list[RecipientStatus] = Field(default_factory=list)
    search: str = Field("", max_length=200)
    everyone: bool = Field(False, description="All contacts of the campaign. Must be set explicitly.")


class RemoveManyBody(ManyBody):
    """The contacts to remove."""

    expected: int | None = Field(
        None,
        description="How many contacts you expect to match: 409, without any removal, if it is another number. "
        "Needed with `everyone`.",
    )


class RetryBody(Body):
    """One more attempt."""

    confirm_carrier: bool = Field(
        False,
        description="Allow it although the completed campaign was started on another carrier.",
    )


class RetryManyBody(ManyBody, RetryBody):
    """The contacts that get one more attempt."""


class Done(BaseModel):
    """The result of a bulk action."""

    done: int
    refused: dict[str, int] = Field(description="Reason -> number of contacts.")


Move = Callable[..., Awaitable[BulkResult]]


@router.get("")
async def index(
    campaign_id: Ref,
    caller: Keyed,
    status: Annotated[list[RecipientStatus] | None, Query()] = None,
    reason: Annotated[
        WaitReason | SkipReason | None, Query(description="Only those who wait, or were skipped, for this.")
    ] = None,
    search: Search = "",
    run: RunNumber = None,
    page: PageNumber = 1,
    page_size: PageSize = 25,
) -> Listing[CampaignContact]:
    """List a campaign's contacts in the order in which they are contacted."""
    async with caller.reading() as session:
        found = await list_recipients(
            session,
            principal=caller.principal,
            campaign_ref=campaign_id,
            statuses=status or (),
            search=search,
            because=Because(reason, caller.now) if reason is not None else None,
            run=run,
            page=page,
            page_size=page_size,
        )
        why = await explain(
            session,
            principal=caller.principal,
            campaign_ref=campaign_id,
            recipient_ids=[row.id for row in found.items],
            now=caller.now,
        )
    return listing(found, lambda row: campaign_contact(row, why.get(row.id)))


@router.post("", status_code=HTTPStatus.CREATED, response_model=Added)
async def add(campaign_id: Ref, body: AddBody, caller: Repeatable) -> Response:
    """Add people to a draft, paused or failed campaign."""
    if body.contact_ids is not None and body.phone_number is not None:
        raise FieldErrors({"contact_ids": "Send a phone_number or contact_ids, not both."})

    async def work(session: AsyncSession) -> Added:
        if body.contact_ids is not None:
            result = await add_contacts(
                session,
                principal=caller.principal,
                campaign_ref=campaign_id,
                contact_ids=body.contact_ids,
                now=caller.now,
            )
        else:
            result = await add_manual(
                session,
                principal=caller.principal,
                campaign_ref=campaign_id,
                number=body.phone_number or "",
                name=body.name,
                variables=body.variables,
                now=caller.now,
            )
        return Added(
            added=result.added,
            duplicates=result.duplicates,
            suppressed=result.suppressed,
            warnings=list(result.warnings),
        )

    return await caller.once(work)


@router.post("/retry", response_model=Done)
async def retry_many(campaign_id: Ref, body: RetryManyBody, caller: Repeatable) -> Response:
    """Retry many contacts: each gets one more attempt. A completed campaign runs again for them."""
    return await _many(await _retry(caller, campaign_id, body), campaign_id, body, caller)


@router.post("/skip", response_model=Done)
async def skip_many(campaign_id: Ref, body: ManyBody, caller: Repeatable) -> Response:
    """Skip many waiting contacts."""
    return await _many(skip_recipients, campaign_id, body, caller)


@router.post("/remove", response_model=Done)
async def remove_many(campaign_id: Ref, body: RemoveManyBody, caller: Repeatable) -> Response:
    """Remove many contacts without attempts from a draft, paused or failed campaign."""
    return await _many(partial(remove_recipients, expected=body.expected), campaign_id, body, caller)


@router.get("/{recipient_id}")
async def show(campaign_id: Ref, recipient_id: RowId, caller: Keyed) -> CampaignContactDetail:
    """Return one contact of a campaign with attempts and history."""
    async with caller.reading() as session:
        return await _detail(session, caller, campaign_id, recipient_id)


@router.post("/{recipient_id}/retry", response_model=CampaignContactDetail)
async def retry(
    campaign_id: Ref, recipient_id: RowId, caller: Repeatable, body: RetryBody | None = None
) -> Response:
    """Retry a contact: it gets one more attempt. A completed campaign runs again for it. 409 with the reason if not."""
    retried = await _retry(caller, campaign_id, body or RetryBody())
    return await _one(retried, campaign_id, recipient_id, caller)


@router.post("/{recipient_id}/skip", response_model=CampaignContactDetail)
async def skip(campaign_id: Ref, recipient_id: RowId, caller: Repeatable) -> Response:
    """Skip this contact in this campaign. 409 with the reason if that is not possible."""
    return await _one(skip_recipients, campaign_id, recipient_id, caller)


@router.delete("/{recipient_id}", status_code=HTTPStatus.NO_CONTENT)
async def remove(campaign_id: Ref, recipient_id: RowId, caller: Repeatable) -> Response:
    """Remove a contact without attempts from a draft, paused or failed campaign. 409 with the reason if not."""
    return await caller.gone_once(
        lambda session: _move_one(session, remove_recipients, campaign_id, recipient_id, caller)
    )


def campaign_contact(row: RecipientRow, why: Explanation | None) -> CampaignContact:
    """Return the API's answer for a contact of a campaign."""
    told = why.told if why is not None else None
    return CampaignContact(
        id=row.id,
        contact_id=row.contact_id,
        position=row.position,
        name=row.name,
        phone_number=row.number,
        email=row.email,
        status=row.status,
        attempts_made=row.attempts_made,
        attempts_allowed=row.attempts_allowed,
        last_outcome=row.last_disposition,
        last_attempt_at=row.last_attempt_at,
        last_error=row.last_error,
        next_attempt_at=row.next_at,
        blocked_by=row.blocked_by,
        blocked_why=row.blocked_why,
        why=told.why if told is not None else row.why,
        waiting_for=WaitingFor(
            rule=told.rule, until=told.until, why=told.why, clock=why.clock, time_zone=why.zone
        )
        if why is not None and told is not None and why.is_waiting
        else None,
        actions=sorted(row.actions),
    )


async def _detail(
    session: AsyncSession, caller: Caller, campaign_ref: str, recipient_id: int
) -> CampaignContactDetail:
    found = await get_recipient(
        session, principal=caller.principal, campaign_ref=campaign_ref, recipient_id=recipient_id
    )
    why = await explain(
        session,
        principal=caller.principal,
        campaign_ref=campaign_ref,
        recipient_ids=[recipient_id],
        now=caller.now,
    )
    return CampaignContactDetail(
        **campaign_contact(found.row, why.get(recipient_id)).model_dump(),
        variables=found.variables,
        attempts=[attempt_answer(attempt) for attempt in found.attempts],
        history=[
            Change(old=each.old, new=each.new, reason=each.reason, at=each.at, actor=each.actor)
            for each in found.transitions
        ],
    )


async def _retry(caller: Caller, campaign_ref: Ref, body: RetryBody) -> Move:
    check = await caller.ask_carrier(campaign_ref)
    return partial(
        retry_recipients, carrier=caller.carrier(), check=check, confirm_carrier=body.confirm_carrier
    )


async def _many(move: Move, campaign_ref: str, body: ManyBody, caller: Caller) -> Response:
    async def work(session: AsyncSession) -> Done:
        result = await _move(session, move, campaign_ref, caller, body.ids, body)
        return Done(done=result.done, refused=result.refused)

    return await caller.once(work, status=HTTPStatus.OK)


async def _one(move: Move, campaign_ref: str, recipient_id: int, caller: Caller) -> Response:
    async def work(session: AsyncSession) -> CampaignContactDetail:
        await _move_one(session, move, campaign_ref, recipient_id, caller)
        return await _detail(session, caller, campaign_ref, recipient_id)

    return await caller.once(work, status=HTTPStatus.OK)


async def _move_one(
    session: AsyncSession, move: Move, campaign_ref: str, recipient_id: int, caller: Caller
) -> None:
    """Move one contact. Raises `NotFound`, and `Conflict` with the reason if it cannot be."""
    result = await _move(session, move, campaign_ref, caller, [recipient_id], ManyBody())
    if result.refused:
        raise Conflict(f"This contact {next(iter(result.refused))}.")
    if not result.done:
        raise NotFound("contact", recipient_id)


async def _move(
    session: AsyncSession,
    move: Move,
    campaign_ref: str,
    caller: Caller,
    ids: Sequence[int] | None,
    matching: ManyBody,
) -> BulkResult:
    return await move(
        session,
        principal=caller.principal,
        campaign_ref=campaign_ref,
        recipient_ids=ids,
        statuses=matching.statuses,
        search=matching.search,
        everyone=matching.everyone,
        now=caller.now,
    )

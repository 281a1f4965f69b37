"""Audiences: add contacts to a campaign by a segment or a filter, once or continuously."""

from http import HTTPStatus
from typing import Any, Final

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.caller import Caller, Keyed, KeyedRoute, Repeatable
from app.api.v1.fields import Body, Moment, Ref, RefField, RowId
from app.domain.audience import AudienceMode, AudienceStatus
from app.runtime.jobs import ADVANCE_AUDIENCE
from app.services.campaigns.audiences import (
    AudienceRule,
    AudienceView,
    add_audience,
    end_audience,
    list_audiences,
    preview_audience,
    read_rule,
)

router = APIRouter(
    prefix="/campaigns/{campaign_id}/audiences", tags=["campaign contacts"], route_class=KeyedRoute
)

_NO_ANSWER: Final = {
    "match": "all",
    "conditions": [{"field": "campaign_status", "op": "any_of", "value": ["41:no_answer", "41:busy"]}],
}

_RULE: Final[dict[str, Any]] = {"filter": _NO_ANSWER, "not_contacted_for_days": 7, "not_in_campaigns": [57]}


class RuleBody(Body):
    """Whom to add: exactly one of a segment, a filter, or everyone; and whom to leave out."""

    model_config = ConfigDict(json_schema_extra={"examples": [_RULE]})

    segment_id: RefField | None = None
    filter: dict[str, Any] | None = Field(
        None,
        description="A contact filter as in `GET /contacts`. The example: who did not answer campaign 41.",
        examples=[_NO_ANSWER],
    )
    everyone: bool = Field(
        False,
        description="The whole address book. Must be set explicitly, so that nobody is added by mistake.",
    )
    not_contacted_for_days: int = Field(
        0, description="Leave out contacts that any campaign contacted within this many days."
    )
    not_in_campaigns: list[RefField] = Field(
        default_factory=list, description="Leave out contacts of these campaigns."
    )


class AudienceBody(RuleBody):
    """A rule, and whether it is applied once or continuously."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [_RULE | {"mode": "snapshot"}, {"segment_id": 12, "mode": "standing"}]}
    )

    mode: AudienceMode = Field(
        AudienceMode.SNAPSHOT,
        description="`snapshot`: adds those who match now (draft, paused or failed campaigns). "
        "`standing`: keeps adding those who match, also while the campaign runs, until it is ended.",
    )


class Preview(BaseModel):
    """What a rule would add now. Counts stop at 10,000; `more` names those that are larger."""

    matching: int
    already_in: int
    would_add: int
    more: list[str] = Field(description="Which of `matching`, `already_in` and `would_add` are above 10,000.")


class AudienceAnswer(BaseModel):
    """An audience: a rule that adds contacts."""

    id: int
    mode: AudienceMode
    status: AudienceStatus
    segment_id: int | None
    segment: str
    filter: dict[str, Any]
    not_contacted_for_days: int
    not_in_campaigns: list[int]
    added: int
    already_in: int = Field(
        description="Matching contacts that were in the campaign already; they stay as they are."
    )
    suppressed: int = Field(description="Added as skipped: they must not be contacted.")
    created_by: str
    created_at: Moment
    last_looked_at: Moment | None
    next_look_at: Moment | None


class Audiences(BaseModel):
    """A campaign's audiences, newest first."""

    items: list[AudienceAnswer]


@router.get("")
async def index(campaign_id: Ref, caller: Keyed) -> Audiences:
    """List the campaign's audiences, ended ones too."""
    async with caller.reading() as session:
        views = await list_audiences(session, principal=caller.principal, campaign_ref=campaign_id)
    return Audiences(items=[_answer(view) for view in views])


@router.post("/preview")
async def preview(campaign_id: Ref, body: RuleBody, caller: Keyed) -> Preview:
    """Count whom a rule would add, without adding them."""
    async with caller.reading() as session:
        counted = await preview_audience(
            session,
            principal=caller.principal,
            campaign_ref=campaign_id,
            rule=await _rule(session, caller, body),
            now=caller.now,
        )
    counts = {name: getattr(counted, name) for name in ("matching", "already_in", "would_add")}
    return Preview(
        **{name: count.count for name, count in counts.items()},
        more=[name for name, count in counts.items() if count.more],
    )


@router.post("", status_code=HTTPStatus.ACCEPTED, response_model=AudienceAnswer)
async def add(campaign_id: Ref, body: AudienceBody, caller: Repeatable) -> Response:
    """Start adding contacts by a rule. Contacts that are in the campaign already stay as they are."""
    begun: list[int] = []

    async def work(session: AsyncSession) -> AudienceAnswer:
        view = await add_audience(
            session,
            principal=caller.principal,
            campaign_ref=campaign_id,
            rule=await _rule(session, caller, body),
            mode=body.mode,
            now=caller.now,
        )
        begun[:] = [view.id]
        return _answer(view)

    response = await caller.once(work, status=HTTPStatus.ACCEPTED)
    for audience_id in begun:
        await caller.context.queue.hint(ADVANCE_AUDIENCE, audience_id)
    return response


@router.post("/{audience_id}/end", response_model=AudienceAnswer)
async def end(campaign_id: Ref, audience_id: RowId, caller: Repeatable) -> Response:
    """Stop adding contacts by this rule. Added contacts stay."""

    async def work(session: AsyncSession) -> AudienceAnswer:
        view = await end_audience(
            session,
            principal=caller.principal,
            campaign_ref=campaign_id,
            audience_id=audience_id,
            now=caller.now,
        )
        return _answer(view)

    return await caller.once(work, status=HTTPStatus.OK)


async def _rule(session: AsyncSession, caller: Caller, body: RuleBody) -> AudienceRule:
    return await read_rule(
        session,
        principal=caller.principal,
        segment=body.segment_id,
        filter=body.filter,
        everyone=body.everyone,
        not_contacted_for_days=body.not_contacted_for_days,
        not_in_campaigns=body.not_in_campaigns,
    )


def _answer(view: AudienceView) -> AudienceAnswer:
    return AudienceAnswer(
        id=view.id,
        mode=view.mode,
        status=view.status,
        segment_id=view.segment_id,
        segment=view.segment_name,
        filter=dict(view.rule),
        not_contacted_for_days=view.not_contacted_for_days,
        not_in_campaigns=list(view.not_in_campaigns),
        added=view.added,
        already_in=view.already_in,
        suppressed=view.suppressed,
        created_by=view.created_by,
        created_at=view.created_at,
        last_looked_at=view.last_at,
        next_look_at=view.next_at,
    )

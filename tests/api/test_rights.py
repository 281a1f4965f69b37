"""Every route of `/api/v1` by everybody who may knock: who gets in, and who is told what instead."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import httpx
import pytest
from fastapi import FastAPI
from sqlmodel import col, select
from starlette.routing import Mount

from app.api.main import create_api
from app.domain.audience import AudienceMode, AudienceStatus
from app.domain.campaign import CampaignStatus
from app.domain.number_health import NumberRest
from app.domain.recipient import RecipientStatus
from app.domain.rights import Role
from app.domain.suppression import SuppressionScope, SuppressionSource
from app.models import Audience, Organization, Suppression
from app.providers.registry import configured_account
from app.services.access.keys import create_key
from app.services.numbers.carriers import ensure_carrier_account, identity_of
from app.services.suppression.operations import suppress
from tests.api.conftest import ApiWorld, make_world, problem_of
from tests.support.builders import (
    NOON,
    make_agent,
    make_attempt,
    make_bulk_change,
    make_campaign,
    make_contact,
    make_number,
    make_recipient,
    make_segment,
    principal,
)

VIEWER, OPERATOR, MANAGER, OWNER = Role.VIEWER, Role.OPERATOR, Role.MANAGER, Role.OWNER
LADDER: Final = (VIEWER, OPERATOR, MANAGER, OWNER)
"""Each role may do what those before it may."""

_DRAFT, _RUNNING, _PAUSED = CampaignStatus.DRAFT, CampaignStatus.RUNNING, CampaignStatus.PAUSED
_COMPLETED = CampaignStatus.COMPLETED


@dataclass(frozen=True)
class Rule:
    """The lowest role that may, and what a request needs to succeed."""

    lowest: Role
    success: int = 200
    body: Any = None
    campaign: CampaignStatus = _DRAFT
    recipient: RecipientStatus = RecipientStatus.PENDING
    rest: NumberRest | None = None
    stranger: int | None = None
    """What another organization's owner is told; None: 404 at an id, else as at home."""


_AGENT: Final[Mapping[tuple[str, str], Rule]] = {
    ("get", ""): Rule(VIEWER),
    ("post", ""): Rule(MANAGER, 201, {"name": "Max"}),
    ("get", "/{agent_id}"): Rule(VIEWER),
    ("put", "/{agent_id}"): Rule(MANAGER, body={"name": "Max"}),
    ("patch", "/{agent_id}"): Rule(MANAGER, body={"name": "Max"}),
    ("delete", "/{agent_id}"): Rule(MANAGER, 204),
}

TABLE: Final[Mapping[tuple[str, str], Rule]] = {
    ("get", "/campaigns"): Rule(VIEWER),
    ("post", "/campaigns"): Rule(
        MANAGER, 201, {"name": "x", "campaign_type": "call", "assistant_id": "{agent_id}"}, stranger=422
    ),
    ("get", "/campaigns/{campaign_id}"): Rule(VIEWER),
    ("put", "/campaigns/{campaign_id}"): Rule(MANAGER, body={"name": "y"}),
    ("patch", "/campaigns/{campaign_id}"): Rule(MANAGER, body={"name": "y"}),
    ("delete", "/campaigns/{campaign_id}"): Rule(MANAGER, 204),
    ("post", "/campaigns/{campaign_id}/schedule"): Rule(MANAGER, body={"schedule_type": "immediate"}),
    ("get", "/campaigns/{campaign_id}/progress"): Rule(VIEWER),
    ("get", "/campaigns/{campaign_id}/runs"): Rule(VIEWER),
    ("get", "/campaigns/{campaign_id}/stats"): Rule(VIEWER),
    ("get", "/campaigns/{campaign_id}/trips"): Rule(VIEWER),
    ("post", "/campaigns/{campaign_id}/start"): Rule(OPERATOR),
    ("post", "/campaigns/{campaign_id}/pause"): Rule(OPERATOR, campaign=_RUNNING),
    ("post", "/campaigns/{campaign_id}/resume"): Rule(OPERATOR, campaign=_PAUSED),
    ("post", "/campaigns/{campaign_id}/cancel"): Rule(MANAGER),
    ("post", "/campaigns/{campaign_id}/duplicate"): Rule(MANAGER, 201),
    ("post", "/campaigns/{campaign_id}/retry-failed"): Rule(
        OPERATOR, campaign=_COMPLETED, recipient=RecipientStatus.FAILED
    ),
    ("get", "/campaigns/{campaign_id}/audiences"): Rule(VIEWER),
    ("post", "/campaigns/{campaign_id}/audiences"): Rule(MANAGER, 202, {"everyone": True}),
    ("post", "/campaigns/{campaign_id}/audiences/preview"): Rule(VIEWER, body={"everyone": True}),
    ("post", "/campaigns/{campaign_id}/audiences/{audience_id}/end"): Rule(MANAGER),
    ("get", "/campaigns/{campaign_id}/contacts"): Rule(VIEWER),
    ("post", "/campaigns/{campaign_id}/contacts"): Rule(MANAGER, 201, {"phone_number": "+12025550111"}),
    ("post", "/campaigns/{campaign_id}/contacts/retry"): Rule(OPERATOR, body={"everyone": True}),
    ("post", "/campaigns/{campaign_id}/contacts/skip"): Rule(OPERATOR, body={"everyone": True}),
    ("post", "/campaigns/{campaign_id}/contacts/remove"): Rule(
        MANAGER, body={"everyone": True, "expected": 2}
    ),
    ("get", "/campaigns/{campaign_id}/contacts/{recipient_id}"): Rule(VIEWER),
    ("delete", "/campaigns/{campaign_id}/contacts/{recipient_id}"): Rule(MANAGER, 204),
    ("post", "/campaigns/{campaign_id}/contacts/{recipient_id}/retry"): Rule(
        OPERATOR, recipient=RecipientStatus.FAILED
    ),
    ("post", "/campaigns/{campaign_id}/contacts/{recipient_id}/skip"): Rule(OPERATOR),
    ("post", "/campaigns/{campaign_id}/import-data"): Rule(MANAGER, body=[{"phone": "+12025550111"}]),
    ("get", "/campaigns/{campaign_id}/attempts"): Rule(VIEWER),
    ("get", "/attempts/{attempt_id}"): Rule(VIEWER),
    ("post", "/attempts/{attempt_id}/settle"): Rule(OPERATOR, 409, {"placed": True}),
    ("get", "/campaigns/{campaign_id}/second-calls"): Rule(VIEWER),
    ("get", "/imports"): Rule(VIEWER),
    ("get", "/imports/{import_id}"): Rule(VIEWER),
    ("get", "/imports/{import_id}/preview"): Rule(VIEWER, 409),
    ("get", "/imports/{import_id}/issues"): Rule(VIEWER),
    ("post", "/imports"): Rule(MANAGER, 201, {"text": "+12025550111"}),
    ("get", "/imports/template.csv"): Rule(VIEWER),
    ("get", "/imports/{import_id}/not-imported.csv"): Rule(MANAGER),
    ("put", "/imports/{import_id}/mapping"): Rule(MANAGER, 409, {"phone": "phone_number"}),
    ("put", "/imports/{import_id}/time-zone-words"): Rule(MANAGER, 409, {"Eastern": "America/New_York"}),
    ("put", "/imports/{import_id}/sheet"): Rule(MANAGER, 409, {"sheet": "People"}),
    ("post", "/imports/{import_id}/start"): Rule(MANAGER, 409),
    ("post", "/imports/{import_id}/cancel"): Rule(MANAGER, 409),
    ("post", "/imports/{import_id}/undo"): Rule(MANAGER, 202),
    **{(method, f"/agents{path}"): rule for (method, path), rule in _AGENT.items()},
    **{(method, f"/assistants{path}"): rule for (method, path), rule in _AGENT.items()},
    ("get", "/numbers"): Rule(VIEWER),
    ("post", "/numbers"): Rule(MANAGER, 201, {"phone_number": "{new_number}"}),
    ("get", "/numbers/{number_id}"): Rule(VIEWER),
    ("put", "/numbers/{number_id}"): Rule(MANAGER, body={"label": "x"}),
    ("patch", "/numbers/{number_id}"): Rule(MANAGER, body={"label": "x"}),
    ("delete", "/numbers/{number_id}"): Rule(MANAGER, 204),
    ("post", "/numbers/{number_id}/rest"): Rule(MANAGER),
    ("post", "/numbers/{number_id}/resume"): Rule(MANAGER, rest=NumberRest.FLAGGED),
    ("get", "/contacts"): Rule(VIEWER),
    ("post", "/contacts"): Rule(MANAGER, 201, {"phone_number": "{new_number}"}),
    ("get", "/contacts/{contact_id}"): Rule(VIEWER),
    ("put", "/contacts/{contact_id}"): Rule(MANAGER, body={"name": "x"}),
    ("patch", "/contacts/{contact_id}"): Rule(MANAGER, body={"name": "x"}),
    ("delete", "/contacts/{contact_id}"): Rule(MANAGER, 204),
    ("get", "/contacts/{contact_id}/history"): Rule(VIEWER),
    ("put", "/contacts/{contact_id}/hold"): Rule(MANAGER, body={"until": "2027-05-12"}),
    ("delete", "/contacts/{contact_id}/hold"): Rule(MANAGER, 204),
    ("post", "/contacts/{contact_id}/suppress"): Rule(MANAGER, 201, {}),
    ("get", "/contacts/export.csv"): Rule(MANAGER),
    ("post", "/contacts/upsert"): Rule(MANAGER, body={"contacts": [{}]}),
    ("post", "/contacts/bulk"): Rule(MANAGER, 202, {"action": "delete", "filter": {"search": "nobody"}}),
    ("get", "/contacts/bulk"): Rule(VIEWER),
    ("get", "/contacts/bulk/{bulk_id}"): Rule(VIEWER),
    ("post", "/contacts/bulk/{bulk_id}/cancel"): Rule(MANAGER),
    ("get", "/segments"): Rule(VIEWER),
    ("post", "/segments"): Rule(MANAGER, 201, {"name": "{new_number}", "filter": {"search": "nobody"}}),
    ("get", "/segments/{segment_id}"): Rule(VIEWER),
    ("put", "/segments/{segment_id}"): Rule(MANAGER, body={"filter": {"search": "nobody"}}),
    ("patch", "/segments/{segment_id}"): Rule(MANAGER, body={"filter": {"search": "nobody"}}),
    ("delete", "/segments/{segment_id}"): Rule(MANAGER, 204),
    ("get", "/segments/{segment_id}/contacts"): Rule(VIEWER),
    ("get", "/suppressions"): Rule(VIEWER),
    ("post", "/suppressions"): Rule(MANAGER, 201, {"phone_number": "{new_number}"}),
    ("get", "/suppressions/export.csv"): Rule(MANAGER),
    ("post", "/suppressions/import-data"): Rule(MANAGER, body=[{"phone_number": "+12025550111"}]),
    ("get", "/suppressions/imports/{suppression_import_id}/rejected.csv"): Rule(MANAGER),
    ("get", "/suppressions/{suppression_id}"): Rule(VIEWER),
    ("post", "/suppressions/{suppression_id}/lift"): Rule(MANAGER, body={"reason": "x"}),
    ("get", "/organization"): Rule(VIEWER),
    ("get", "/organization/legal-policy-changes"): Rule(VIEWER),
    ("get", "/legal-hours"): Rule(VIEWER),
    ("patch", "/organization"): Rule(OWNER, body={"outbound_limit": 5}),
    ("post", "/dialing/stop"): Rule(OPERATOR),
    ("post", "/dialing/resume"): Rule(MANAGER),
    ("get", "/keys"): Rule(OWNER),
    ("post", "/keys"): Rule(OWNER, 201, {"name": "x", "role": "viewer"}),
    ("delete", "/keys/{key_id}"): Rule(OWNER, 204),
}


def routes() -> set[tuple[str, str]]:
    """Every route there is, as its documentation lists it."""
    [rest] = [route.app for route in create_api().routes if isinstance(route, Mount) and route.path == "/api"]
    assert isinstance(rest, FastAPI)
    return {
        (method, path.removeprefix("/v1"))
        for path, operations in rest.openapi()["paths"].items()
        for method in operations
        if path.startswith("/v1/")
    }


def test_every_route_is_in_the_table() -> None:
    assert routes() == set(TABLE)


@pytest.mark.parametrize("route", sorted(TABLE), ids=" ".join)
async def test_everybody_gets_what_their_role_allows(world: ApiWorld, route: tuple[str, str]) -> None:
    rule = TABLE[route]
    other = await make_world(world.context, world.client, world.carrier)
    named = await things(world, route)
    nobody = await knock(world, route, named, key=None)
    assert (nobody.status_code, problem_of(nobody)["errors"]) == (401, [])
    stranger = await knock(world, route, named, key=other.keys[OWNER])
    at_home = 404 if "{" in route[1] else rule.success
    assert stranger.status_code == (rule.stranger or at_home), stranger.text
    if stranger.is_success:
        named = await things(world, route)  # what one organization has taken, a number, is no other's
    for role in LADDER:
        allowed = LADDER.index(role) >= LADDER.index(rule.lowest)
        answer = await knock(world, route, named, key=world.keys[role])
        assert answer.status_code == (rule.success if allowed else 403), f"{role}: {answer.text}"
        if allowed:
            named = await things(world, route)
        else:
            problem_of(answer)


async def knock(
    world: ApiWorld, route: tuple[str, str], named: Mapping[str, Any], *, key: str | None
) -> httpx.Response:
    """Send a request that would succeed for whoever has the right."""
    method, path = route
    body = filled(TABLE[route].body, named)
    more = {"json": body} if body is not None else {}
    answer = await world.call(method.upper(), path.format(**named), role=None, key=key, **more)
    assert {"ratelimit", "ratelimit-policy"} <= answer.headers.keys()
    return answer


def filled(body: Any, named: Mapping[str, Any]) -> Any:
    if isinstance(body, dict):
        return {name: filled(value, named) for name, value in body.items()}
    return body.format(**named) if isinstance(body, str) and body.startswith("{") else body


async def things(world: ApiWorld, route: tuple[str, str]) -> dict[str, Any]:
    """Make one of everything in the organization and return the ids by their names in paths."""
    rule = TABLE[route]
    identity = identity_of(configured_account(world.context.settings))
    async with world.database.transaction() as session:
        organization = await session.get_one(Organization, world.organization.id)
        account = await ensure_carrier_account(session, identity, now=NOON)
        agent = await make_agent(session, organization)
        number = await make_number(session, organization, rest=rule.rest)
        campaign = await make_campaign(
            session,
            organization,
            agent=agent,
            number=world.number,
            status=rule.campaign,
            carrier_account_id=account.id,
        )
        recipient = await make_recipient(session, campaign, status=rule.recipient)
        tried = await make_recipient(session, campaign, status=RecipientStatus.COMPLETED, attempts_made=1)
        attempt = await make_attempt(session, tried, number=number, carrier_account=account)
        held = (
            {"held_until": NOON + timedelta(days=1)}
            if route == ("delete", "/contacts/{contact_id}/hold")
            else {}
        )
        contact = await make_contact(session, organization, **held)
        segment = await make_segment(session, organization)
        bulk = await make_bulk_change(session, organization)
        fresh = await make_contact(session, organization)
        await session.delete(fresh)
        await suppress(
            session,
            organization_id=organization.id,
            number=contact.number,
            scope=SuppressionScope.ALL,
            reason="asked",
            source=SuppressionSource.MANUAL,
            actor="ann",
            now=NOON,
        )
        newest = select(col(Suppression.id)).order_by(col(Suppression.id).desc()).limit(1)
        suppression_id = (await session.execute(newest)).scalar_one()
        key = await create_key(session, principal=principal(organization), name="x", role=VIEWER, now=NOON)
        quiet = await make_agent(session, organization)
        spare = await make_campaign(session, organization)
        audience = Audience(
            organization_id=organization.id,
            campaign_id=campaign.id,
            mode=AudienceMode.STANDING,
            # One that adds nobody any more, but to be ended: else nobody could be removed.
            status=AudienceStatus.STANDING if "{audience_id}" in route[1] else AudienceStatus.ENDED,
            exclude={"not_contacted_for_days": 0, "not_in_campaigns": []},
            next_at=NOON if "{audience_id}" in route[1] else None,
            created_at=NOON,
        )
        session.add(audience)
        await session.flush()
    return {
        "audience_id": audience.id,
        "campaign_id": campaign.id,
        "recipient_id": recipient.id,
        "attempt_id": attempt.id,
        "agent_id": quiet.id,
        "number_id": number.id,
        "contact_id": contact.id,
        "segment_id": segment.id,
        "bulk_id": bulk.id,
        "suppression_id": suppression_id,
        "key_id": key.id,
        "import_id": await an_import(world, spare.id) if "{import_id}" in route[1] else 0,
        "suppression_import_id": await a_file_of_suppressions(world)
        if "{suppression_import_id}" in route[1]
        else 0,
        "new_number": "+1303555" + fresh.number[-4:],
    }


async def an_import(world: ApiWorld, campaign_id: int) -> int:
    done = await world.post(f"/campaigns/{campaign_id}/import-data", [{"phone": "+12025550111"}])
    assert done.status_code == 200, done.text
    import_id: int = done.json()["import_id"]
    return import_id


async def a_file_of_suppressions(world: ApiWorld) -> int:
    done = await world.post("/suppressions/import-data", [{"phone": "+12025550111"}])
    assert done.status_code == 200, done.text
    import_id: int = done.json()["import_id"]
    return import_id

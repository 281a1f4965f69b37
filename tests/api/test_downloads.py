"""Files for a signed-in browser: who gets them, what is in them, and that opening them is safe."""

import csv
import io
from collections.abc import Mapping
from typing import Any, Final

import httpx
import pytest
from fastapi.routing import APIRoute

from app.api import downloads
from app.domain.attempt import AttemptStatus, Disposition
from app.domain.recipient import RecipientStatus
from app.domain.rights import Right, Role, has_right
from app.domain.suppression import SuppressionScope
from app.models import Campaign, Organization
from app.services.access.sessions import SESSION_COOKIE, begin_session
from app.services.campaigns import exports
from app.services.imports.operations import import_file
from app.services.suppression.importing import import_suppressions
from tests.api.conftest import ApiWorld, make_world
from tests.support.builders import (
    NOON,
    make_attempt,
    make_campaign,
    make_contact,
    make_member,
    make_recipient,
    principal,
)

FILE: Final = b"phone,name\n2025550143,Ann\n12,=1+1\n"

TABLE: Final[Mapping[str, Right]] = {
    "/download/{organization}/contacts.csv": Right.EXPORT,
    "/download/{organization}/imports/{import_id}/not-imported.csv": Right.EXPORT,
    "/download/{organization}/campaigns/{campaign_id}/contacts.csv": Right.EXPORT,
    "/download/{organization}/campaigns/{campaign_id}/calls.csv": Right.EXPORT,
    "/download/{organization}/suppressions.csv": Right.EXPORT,
    "/download/{organization}/suppressions/imports/{suppression_import_id}/not-imported.csv": Right.EXPORT,
}
"""Every download, and the right that it needs."""


def test_every_download_is_in_the_table_and_reads_only() -> None:
    routes = [route for route in downloads.router.routes if isinstance(route, APIRoute)]
    assert {route.path for route in routes} == set(TABLE)
    assert {method for route in routes for method in route.methods or ()} == {"GET"}


async def sign_in(world: ApiWorld, role: Role = Role.OWNER) -> None:
    """Give the browser the session of a member of that role."""
    async with world.database.transaction() as session:
        organization = await session.get_one(Organization, world.organization.id)
        user = await make_member(session, organization, role=role)
        token = await begin_session(session, user_id=user.id, user_agent="", now=NOON)
    world.client.cookies.set(SESSION_COOKIE, token)


async def things(world: ApiWorld) -> dict[str, Any]:
    """A campaign with people and calls, and a file of which a row did not go in."""
    async with world.database.transaction() as session:
        organization = await session.get_one(Organization, world.organization.id)
        campaign = await make_campaign(session, organization, number=world.number)
        await people(session, organization, campaign, world)
        imported = await import_file(
            session,
            principal=principal(organization),
            campaign_ref=None,
            file_name="a.csv",
            data=FILE,
            now=NOON,
        )
    return {
        "organization": organization.slug,
        "campaign_id": campaign.id,
        "import_id": imported.import_id,
        "suppression_import_id": await suppressed_file(world, organization),
    }


async def suppressed_file(world: ApiWorld, organization: Organization) -> int:
    progress = import_suppressions(
        world.database,
        principal=principal(organization),
        file_name="dnc.csv",
        data=b"phone\n+12025550119\n12\n",
        scope=SuppressionScope.ALL,
        reason="",
        clock=world.context.clock,
    )
    [result] = [step async for step in progress]
    return result.import_id


async def people(session: Any, organization: Organization, campaign: Campaign, world: ApiWorld) -> None:
    reached = await make_contact(session, organization, name="Ann", number="+12025550111")
    evil = await make_contact(session, organization, name="=HYPERLINK(1)", number="+12025550112")
    done = await make_recipient(
        session,
        campaign,
        reached,
        status=RecipientStatus.COMPLETED,
        attempts_made=1,
        variables={"balance": "+1-1", "name": "Ann"},
    )
    await make_recipient(session, campaign, evil, variables={"name": "Eve"})
    await make_attempt(
        session,
        done,
        number=world.number,
        status=AttemptStatus.COMPLETED,
        disposition=Disposition.ANSWERED,
        duration_seconds=61,
        reply="confirm",
    )
    await make_attempt(
        session,
        done,
        number=world.number,
        ordinal=2,
        status=AttemptStatus.FAILED,
        disposition=Disposition.BUSY,
    )


def rows(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("path", sorted(TABLE))
async def test_a_download_is_for_members_who_may_export(world: ApiWorld, path: str) -> None:
    named = await things(world)
    nobody = await world.client.get(path.format(**named))
    assert (nobody.status_code, nobody.headers["location"]) == (303, "/sign-in/")
    world.client.cookies.set(SESSION_COOKIE, "guess")
    assert (await world.client.get(path.format(**named))).status_code == 303
    for role in Role:
        await sign_in(world, role)
        answer = await world.client.get(path.format(**named))
        assert answer.status_code == (200 if has_right(role, TABLE[path]) else 403), role


@pytest.mark.parametrize("path", sorted(TABLE))
async def test_another_organizations_things_do_not_exist(world: ApiWorld, path: str) -> None:
    named = await things(world)
    other = await make_world(world.context, world.client, world.carrier)
    await sign_in(other)
    assert (await world.client.get(path.format(**named))).status_code == 404
    at_home = path.format(**named | {"organization": other.organization.slug})
    assert (await world.client.get(at_home)).status_code == (404 if "_id}" in path else 200)


@pytest.mark.parametrize("path", sorted(TABLE))
async def test_another_site_cannot_fetch_it_and_a_key_does_not_open_it(world: ApiWorld, path: str) -> None:
    named = await things(world)
    by_key = {"Authorization": f"Bearer {world.keys[Role.OWNER]}"}
    assert (await world.client.get(path.format(**named), headers=by_key)).status_code == 303
    await sign_in(world)
    for site, status in (("cross-site", 403), ("same-site", 403), ("same-origin", 200), ("none", 200)):
        answer = await world.client.get(path.format(**named), headers={"Sec-Fetch-Site": site})
        assert answer.status_code == status, site
        assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("path", sorted(TABLE))
async def test_a_download_is_a_file_that_nobody_keeps(world: ApiWorld, path: str) -> None:
    named = await things(world)
    await sign_in(world)
    headers = (await world.client.get(path.format(**named))).headers
    assert headers["content-type"] == "text/csv; charset=utf-8"
    assert headers["content-disposition"].startswith("attachment; filename=")
    assert (headers["cache-control"], headers["x-content-type-options"]) == ("no-store", "nosniff")


async def get(world: ApiWorld, what: str, **filters: str) -> list[dict[str, str]]:
    named = await things(world)
    await sign_in(world)
    path = f"/download/{named['organization']}/campaigns/{named['campaign_id']}/{what}.csv"
    return rows(await world.client.get(path, params=filters))


async def test_contacts_come_with_their_variables_and_safe_to_open(world: ApiWorld) -> None:
    ann, eve = await get(world, "contacts")
    assert (ann["name"], ann["phone_number"], ann["status"]) == ("Ann", "+12025550111", "completed")
    assert (ann["attempts_made"], ann["balance"], ann["variable.name"]) == ("1", "'+1-1", "Ann")
    assert (eve["name"], eve["status"], eve["balance"]) == ("'=HYPERLINK(1)", "pending", "")


async def test_calls_come_newest_first_with_outcome_and_reply(world: ApiWorld) -> None:
    found = await get(world, "calls")
    assert {row["outcome"] for row in found} == {"answered", "busy"}
    answered = next(row for row in found if row["outcome"] == "answered")
    assert (answered["contact_name"], answered["number_to"]) == ("Ann", "+12025550111")
    assert (answered["duration_seconds"], answered["reply"]) == ("61", "confirm")
    assert answered["at"] == "2026-03-10T12:00:00-04:00"


@pytest.mark.parametrize(
    ("what", "filters", "count"),
    [
        ("contacts", {"status": "completed"}, 1),
        ("contacts", {"search": "0112"}, 1),
        ("contacts", {"status": "nonsense"}, 2),
        ("contacts", {"status": "skipped_ahead"}, 0),
        ("calls", {"disposition": "busy"}, 1),
        ("calls", {"search": "nobody"}, 0),
        ("calls", {"disposition": "all"}, 2),
    ],
)
async def test_a_download_respects_the_filter_of_its_page(
    world: ApiWorld, what: str, filters: dict[str, str], count: int
) -> None:
    assert len(await get(world, what, **filters)) == count


@pytest.mark.parametrize("what", ["contacts", "calls"])
async def test_a_long_list_comes_whole_in_pieces(
    world: ApiWorld, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "_PAGE", 1)
    found = await get(world, what)
    assert len({tuple(row.values()) for row in found}) == 2


async def test_the_rows_that_did_not_go_in_come_with_their_reason(world: ApiWorld) -> None:
    named = await things(world)
    await sign_in(world)
    path = f"/download/{named['organization']}/imports/{named['import_id']}/not-imported.csv"
    [row] = rows(await world.client.get(path))
    assert (row["callsheet_row"], row["phone"], row["name"]) == ("3", "12", "'=1+1")


@pytest.mark.parametrize("number", ["0", "-1", "9" * 30, "x"])
async def test_an_id_that_makes_no_sense_is_no_thing(world: ApiWorld, number: str) -> None:
    await sign_in(world)
    path = f"/download/{world.organization.slug}/campaigns/{number}/contacts.csv"
    assert (await world.client.get(path)).status_code in {404, 422}

"""The way in: the set-up link, the sign-in form, and the page of who is nowhere a member."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from app.models import Campaign, Organization, PhoneNumber, SignInTicket, User, UserSession
from app.providers.base import OwnedNumber
from app.providers.twilio.client import TwilioCarrier
from app.runtime.context import AppContext
from app.services.access.known_browsers import BROWSER_COOKIE, remember_browser
from app.services.access.passwords import hash_password
from app.services.access.set_up_links import issue_setup_link
from app.services.access.sign_in import MOST_FAILURES_OF_AN_EMAIL
from app.services.sample_data import SIMULATED_NUMBERS
from app.web.pages.home.state import HomeState
from app.web.pages.setup.state import SetupState
from app.web.pages.sign_in.state import SignInState
from app.web.session import SessionState
from tests.support.builders import make_member, make_organization
from tests.web.browser import Browser, signed_in
from tests.web.conftest import Driver

PASSWORD = "correct horse battery"
FORM: dict[str, Any] = {
    "email": "ann@example.com",
    "password": PASSWORD,
    "name": "Ann",
    "organization_name": "Acme",
    "load_sample_data": True,
}


async def set_up_page(seams: AppContext, tab: Driver) -> Browser:
    """The page that a fresh link opens."""
    async with seams.database.transaction() as session:
        token = await issue_setup_link(session, now=seams.clock.now())
    return Browser(tab, "", f"/setup?token={token}")


async def rows(seams: AppContext, model: Any) -> list[Any]:
    async with seams.database.session() as session:
        return list((await session.execute(select(model))).scalars())


def carrier_owns(monkeypatch: pytest.MonkeyPatch, numbers: Sequence[str]) -> None:
    """Let the simulated carrier have these numbers."""

    async def owned_numbers(_carrier: TwilioCarrier) -> list[OwnedNumber]:
        return [OwnedNumber(number=each, label="", voice=True, sms=True) for each in numbers]

    monkeypatch.setattr(TwilioCarrier, "owned_numbers", owned_numbers)


@pytest.mark.parametrize("owned", [SIMULATED_NUMBERS[1:], ()], ids=["all but one", "none"])
async def test_sample_data_has_only_numbers_that_the_carrier_has(
    seams: AppContext, tab: Driver, monkeypatch: pytest.MonkeyPatch, owned: Sequence[str]
) -> None:
    carrier_owns(monkeypatch, owned)
    browser = await set_up_page(seams, tab)
    await browser.send(SetupState.complete(FORM))
    assert {number.number for number in await rows(seams, PhoneNumber)} == set(owned)


async def test_sample_data_does_without_numbers_while_the_carrier_is_away(
    seams: AppContext, tab: Driver
) -> None:
    browser = await set_up_page(seams, tab)
    await browser.send(SetupState.complete(FORM))
    assert len(await rows(seams, Campaign)) == 1
    assert await rows(seams, PhoneNumber) == []


async def test_a_link_is_used_once_for_an_owner_with_sample_data(
    seams: AppContext, tab: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    carrier_owns(monkeypatch, SIMULATED_NUMBERS)
    browser = await set_up_page(seams, tab)
    await browser.send(SetupState.load())
    assert (await tab.state(SetupState)).usable
    await browser.send(SetupState.complete(FORM))
    assert [user.email for user in await rows(seams, User)] == ["ann@example.com"]
    assert len(await rows(seams, Campaign)) == 1
    assert len(await rows(seams, PhoneNumber)) == 3
    assert len(await rows(seams, SignInTicket)) == 1
    await browser.send(SetupState.complete(FORM | {"email": "eve@example.com"}))
    assert not (await tab.state(SetupState)).usable
    assert len(await rows(seams, User)) == 1


async def test_what_must_be_mended_stands_at_its_field_and_the_link_stays_good(
    seams: AppContext, tab: Driver
) -> None:
    browser = await set_up_page(seams, tab)
    await browser.send(SetupState.complete({"email": "ann", "password": "short"}))
    state = await tab.state(SetupState)
    assert set(state.errors) == {"email", "password", "organization_name"}
    await browser.send(SetupState.load())
    assert (await tab.state(SetupState)).usable


@pytest.mark.parametrize("path", ["/setup", "/setup?token=made-up"])
async def test_a_missing_or_made_up_link_is_explained(seams: AppContext, tab: Driver, path: str) -> None:
    browser = Browser(tab, "", path)
    await browser.send(SetupState.load())
    state = await tab.state(SetupState)
    assert (state.usable, state.loading, state.problem) == (False, False, "")


async def test_an_expired_link_is_no_longer_good(
    seams: AppContext, tab: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with seams.database.transaction() as session:
        token = await issue_setup_link(session, now=seams.clock.now() - timedelta(days=2))
    await Browser(tab, "", f"/setup?token={token}").send(SetupState.load())
    assert not (await tab.state(SetupState)).usable


async def person(seams: AppContext, **values: Any) -> Organization:
    """Ann, a member of an organization, who knows her password."""
    async with seams.database.transaction() as session:
        organization = await make_organization(session)
        known = {"email": "ann@example.com", "password_hash": await hash_password(PASSWORD)}
        await make_member(session, organization, **known | values)
    return organization


async def test_the_right_password_gives_a_ticket_to_the_wanted_page(seams: AppContext, tab: Driver) -> None:
    await person(seams)
    browser = Browser(tab, "", "/sign-in?next=/acme/agents")
    await browser.send(SignInState.sign_in({"email": " ANN@example.com", "password": PASSWORD}))
    [ticket] = await rows(seams, SignInTicket)
    assert ticket.next_path == "/acme/agents"


@pytest.mark.parametrize("wanted", ["//evil.example", "https://evil.example", "/\\evil.example", "/sign-in"])
async def test_a_link_to_sign_in_leads_nowhere_else(seams: AppContext, tab: Driver, wanted: str) -> None:
    await person(seams)
    browser = Browser(tab, "", f"/sign-in?next={wanted}")
    await browser.send(SignInState.sign_in({"email": "ann@example.com", "password": PASSWORD}))
    [ticket] = await rows(seams, SignInTicket)
    assert ticket.next_path == "/"


async def test_a_wrong_password_is_refused_and_too_many_must_wait(seams: AppContext, tab: Driver) -> None:
    await person(seams)
    browser = Browser(tab, "", "/sign-in")
    refusals = []
    for _ in range(MOST_FAILURES_OF_AN_EMAIL + 1):
        await browser.send(SignInState.sign_in({"email": "ann@example.com", "password": "wrong"}))
        refusals.append((await tab.state(SignInState)).refusal)
    assert "do not go together" in refusals[0]
    assert "Try again in 15 minutes" in refusals[-1]
    assert await rows(seams, SignInTicket) == []
    assert not (await tab.state(SignInState)).saving


async def test_a_browser_that_signed_in_before_is_not_locked_out(seams: AppContext, tab: Driver) -> None:
    organization = await person(seams)
    async with seams.database.transaction() as session:
        [ann] = (await session.execute(select(User))).scalars()
        known = await remember_browser(session, user_id=ann.id, tokens=[], now=seams.clock.now())
    stranger = Browser(tab, "callsheet_browser=made-up", "/sign-in")
    right = {"email": "ann@example.com", "password": PASSWORD}
    for _ in range(MOST_FAILURES_OF_AN_EMAIL):
        await stranger.send(SignInState.sign_in(right | {"password": "wrong"}))
    await stranger.send(SignInState.sign_in(right))
    assert "Try again in 15 minutes" in (await tab.state(SignInState)).refusal
    browser = Browser(tab, f"other=1; {BROWSER_COOKIE}={known}", f"/sign-in?next=/{organization.slug}/agents")
    await browser.send(SignInState.sign_in(right))
    assert (await tab.state(SignInState)).refusal == ""
    [ticket] = await rows(seams, SignInTicket)
    assert ticket.user_id == ann.id


async def test_who_is_signed_in_already_is_not_asked_again(seams: AppContext, tab: Driver) -> None:
    organization = await person(seams)
    browser = await signed_in(tab, organization, "/campaigns")
    browser.path = "/sign-in?next=/acme/agents"
    await browser.send(SignInState.load())
    assert not (await tab.state(SignInState)).is_open


async def test_signing_out_ends_the_session_for_every_tab(seams: AppContext, tab: Driver) -> None:
    organization = await person(seams)
    browser = await signed_in(tab, organization, "/agents")
    await browser.send(SessionState.enter())
    assert (await tab.state(SessionState)).organization_name == "Acme Corp"
    await browser.send(SessionState.sign_out())
    [ended] = await rows(seams, UserSession)
    assert ended.revoked_at is not None
    browser.path = "/sign-in"
    await browser.send(SignInState.load())
    assert (await tab.state(SignInState)).is_open


async def test_who_is_a_member_nowhere_is_told_so(seams: AppContext, tab: Driver) -> None:
    organization = await person(seams)
    browser = await signed_in(tab, organization, "")
    async with seams.database.transaction() as session:
        await session.execute(Organization.__table__.delete())  # type: ignore[attr-defined]  # SQLModel adds it
    await browser.send(HomeState.find_the_way())
    assert "@example.com" in (await tab.state(HomeState)).email

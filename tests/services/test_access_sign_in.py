"""Signing in: passwords, throttling, tickets, sessions."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlmodel import col

from app.domain.rights import Role
from app.models import KnownBrowser, SignInTicket, User, UserSession
from app.runtime.database import Database
from app.services.access.known_browsers import find_known_browser
from app.services.access.passwords import hash_password, password_matches
from app.services.access.recovery import change_password, issue_link_ticket
from app.services.access.sessions import memberships, principal_for, resolve_session, sign_out
from app.services.access.sign_in import (
    MOST_FAILURES_OF_A_BROWSER,
    MOST_FAILURES_OF_AN_ADDRESS,
    MOST_FAILURES_OF_AN_EMAIL,
    SignInRefused,
    TooManySignIns,
    check_password_and_issue_ticket,
)
from app.services.access.tickets import RedeemedTicket, local_path, redeem_ticket
from tests.support.builders import NOON, make_member, make_organization

PASSWORD = "correct horse battery"
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def ann(database: Database) -> User:
    """A manager of Acme with a password."""
    hashed = await hash_password(PASSWORD)
    async with database.transaction() as session:
        organization = await make_organization(session, slug="acme")
        return await make_member(
            session, organization, role=Role.MANAGER, email="ann@example.com", password_hash=hashed
        )


async def sign_in(
    database: Database,
    *,
    email: str = "ann@example.com",
    password: str = PASSWORD,
    address: str = "192.0.2.1",
    next_path: str = "/acme/campaigns",
    browser: str = "",
    at: timedelta = timedelta(),
) -> str:
    async with database.transaction() as session:
        return await check_password_and_issue_ticket(
            session,
            email=email,
            password=password,
            address=address,
            next_path=next_path,
            browser_tokens=[browser],
            now=NOON + at,
        )


async def redeem(
    database: Database, ticket: str, at: timedelta = timedelta(), *, browser: str = ""
) -> RedeemedTicket | None:
    async with database.transaction() as session:
        return await redeem_ticket(
            session, ticket=ticket, user_agent="Firefox", browser_tokens=[browser], now=NOON + at
        )


async def enter(database: Database, *, browser: str = "", **given: object) -> str:
    """Sign in all the way, and return what the browser's cookie holds then."""
    ticket = await sign_in(database, browser=browser, **given)  # type: ignore[arg-type]  # passed on
    redeemed = await redeem(database, ticket, browser=browser)
    assert redeemed is not None
    return redeemed.browser_token


async def fail(database: Database, **given: object) -> None:
    with pytest.raises(SignInRefused):
        await sign_in(database, password="wrong password", **given)  # type: ignore[arg-type]  # passed on


async def test_the_right_password_leads_to_a_session_and_to_the_wanted_page(
    database: Database, ann: User
) -> None:
    redeemed = await redeem(database, await sign_in(database, email=" Ann@Example.com "))
    assert redeemed is not None
    assert redeemed.next_path == "/acme/campaigns"
    async with database.session() as session:
        person = await resolve_session(session, tokens=[redeemed.session_token], now=NOON)
        assert person is not None
        assert (person.user_id, person.email) == (ann.id, "ann@example.com")


async def test_neither_token_nor_ticket_is_stored_in_the_clear(database: Database, ann: User) -> None:
    ticket = await sign_in(database)
    redeemed = await redeem(database, ticket)
    assert redeemed is not None
    async with database.session() as session:
        stored = (
            await session.scalar(select(col(SignInTicket.token_hash))),
            await session.scalar(select(col(UserSession.token_hash))),
        )
    assert all(stored)
    assert ticket not in stored
    assert redeemed.session_token not in stored


async def test_an_unknown_email_and_a_wrong_password_are_refused_in_the_same_words(
    database: Database, ann: User
) -> None:
    with pytest.raises(SignInRefused) as wrong:
        await sign_in(database, password="wrong password")
    with pytest.raises(SignInRefused) as unknown:
        await sign_in(database, email="nobody@example.com")
    assert str(wrong.value) == str(unknown.value)


async def test_an_unknown_email_costs_a_hash_like_a_known_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from app.services.access import passwords

    verified: list[str] = []

    class Hasher:
        def verify(self, password_hash: str, password: bytes) -> bool:
            verified.append(password_hash)
            return True

        def hash(self, password: bytes) -> str:
            return "nobody's hash"

    monkeypatch.setattr(passwords, "_hasher", Hasher())
    passwords._nobodys_hash.cache_clear()
    assert not await password_matches(None, PASSWORD)
    passwords._nobodys_hash.cache_clear()
    assert verified == ["nobody's hash"]


@pytest.mark.parametrize("email", ["", "\x00", "a\ud800@b.c", "x" * 5000, "' OR 1=1 --"])
async def test_nonsense_for_an_email_is_refused_like_any_other(
    database: Database, ann: User, email: str
) -> None:
    with pytest.raises(SignInRefused):
        await sign_in(database, email=email, password="\x00\ud800", address="\x00" * 100)


async def test_the_eleventh_failure_of_an_email_must_wait(database: Database, ann: User) -> None:
    for number in range(MOST_FAILURES_OF_AN_EMAIL):
        await fail(database, address=f"192.0.2.{number}", at=number * timedelta(seconds=1))
    with pytest.raises(TooManySignIns) as refusal:
        await sign_in(database, address="198.51.100.7", at=MINUTE)
    assert refusal.value.retry_at == NOON + 15 * MINUTE
    assert "14 minutes" in str(refusal.value)


async def test_the_wait_ends_when_the_oldest_failure_is_fifteen_minutes_old(
    database: Database, ann: User
) -> None:
    for number in range(MOST_FAILURES_OF_AN_EMAIL):
        await fail(database, at=number * timedelta(seconds=1))
    assert await sign_in(database, at=15 * MINUTE)


async def test_an_unknown_email_is_throttled_like_a_known_one(database: Database, ann: User) -> None:
    for _ in range(MOST_FAILURES_OF_AN_EMAIL):
        await fail(database, email="nobody@example.com")
    with pytest.raises(TooManySignIns):
        await sign_in(database, email="nobody@example.com")


async def test_an_address_that_tries_many_emails_must_wait_and_others_need_not(
    database: Database, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.services.access import sign_in as module

    monkeypatch.setattr(module, "password_matches", _never_matches)
    for number in range(MOST_FAILURES_OF_AN_ADDRESS):
        await fail(database, email=f"guess{number}@example.com")
    monkeypatch.undo()
    with pytest.raises(TooManySignIns):
        await sign_in(database)
    assert await sign_in(database, address="198.51.100.7")


async def _never_matches(password_hash: str | None, password: str) -> bool:
    return False


async def test_a_success_forgives_the_failures_before_it(database: Database, ann: User) -> None:
    for _ in range(MOST_FAILURES_OF_AN_EMAIL - 1):
        await fail(database)
    await sign_in(database)
    await fail(database)
    assert await sign_in(database)


async def test_guesses_sent_all_at_once_are_counted_too(database: Database, ann: User) -> None:
    guesses = (sign_in(database, password="wrong password") for _ in range(MOST_FAILURES_OF_AN_EMAIL + 5))
    outcomes = [type(outcome) for outcome in await asyncio.gather(*guesses, return_exceptions=True)]
    assert outcomes.count(SignInRefused) == MOST_FAILURES_OF_AN_EMAIL
    assert outcomes.count(TooManySignIns) == 5


async def test_a_success_elsewhere_does_not_forgive_who_guesses(database: Database, ann: User) -> None:
    for number in range(MOST_FAILURES_OF_AN_EMAIL - 1):
        await fail(database, address=f"192.0.2.{number}")
    await sign_in(database, address="198.51.100.7")
    await fail(database)
    with pytest.raises(TooManySignIns):
        await sign_in(database)


async def test_who_has_one_account_does_not_guess_on_for_ever(
    database: Database, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.services.access import sign_in as module

    async with database.transaction() as session:
        other = await make_organization(session, slug="other")
        hashed = await hash_password(PASSWORD)
        await make_member(session, other, email="eve@example.com", password_hash=hashed)

    async def cheaply(password_hash: str | None, password: str) -> bool:
        return password == PASSWORD and await password_matches(password_hash, password)

    monkeypatch.setattr(module, "password_matches", cheaply)
    browser = ""
    for number in range(MOST_FAILURES_OF_AN_ADDRESS):
        await fail(database, email=f"guess{number}@example.com", browser=browser)
        if number % 10 == 0:
            browser = await enter(database, email="eve@example.com", browser=browser)
    with pytest.raises(TooManySignIns):
        await sign_in(database, browser=browser)


async def test_an_ipv6_address_is_counted_with_its_neighbours(
    database: Database, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.services.access import sign_in as module

    monkeypatch.setattr(module, "password_matches", _never_matches)
    for number in range(MOST_FAILURES_OF_AN_ADDRESS):
        await fail(database, email=f"guess{number}@example.com", address=f"2001:db8:1:2::{number:x}")
    monkeypatch.undo()
    with pytest.raises(TooManySignIns):
        await sign_in(database, address="2001:db8:1:2:ffff::1")
    assert await sign_in(database, address="2001:db8:1:3::1")


# Browsers that somebody has signed in with before


async def lock(database: Database, *, address: str = "192.0.2.{}") -> None:
    """Guess until strangers are refused."""
    for number in range(MOST_FAILURES_OF_AN_EMAIL):
        await fail(database, address=address.format(number))
    with pytest.raises(TooManySignIns):
        await sign_in(database, address="198.51.100.99")


async def test_nobody_locks_a_person_out_of_a_browser_they_signed_in_with(
    database: Database, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.services.access import sign_in as module

    browser = await enter(database)
    await lock(database)
    assert await sign_in(database, browser=browser)
    # Nor by guessing at others, from the same address.
    monkeypatch.setattr(module, "password_matches", _never_matches)
    for number in range(MOST_FAILURES_OF_AN_ADDRESS):
        await fail(database, email=f"guess{number}@example.com", address="192.0.2.200")
    monkeypatch.undo()
    assert await sign_in(database, address="192.0.2.200", browser=browser)
    with pytest.raises(TooManySignIns):
        await sign_in(database, address="192.0.2.200")


async def test_a_known_browser_waits_for_its_own_failures_alone(database: Database, ann: User) -> None:
    browser, other = await enter(database), await enter(database)
    for _ in range(MOST_FAILURES_OF_A_BROWSER):
        await fail(database, browser=browser)
    with pytest.raises(TooManySignIns):
        await sign_in(database, browser=browser)
    assert await sign_in(database, browser=other)
    assert await sign_in(database)
    assert await sign_in(database, browser=browser, at=15 * MINUTE)


async def test_a_browser_is_known_for_its_own_people_alone(database: Database, ann: User) -> None:
    async with database.transaction() as session:
        other = await make_organization(session, slug="other")
        hashed = await hash_password(PASSWORD)
        await make_member(session, other, email="eve@example.com", password_hash=hashed)
    eves = await enter(database, email="eve@example.com")
    await lock(database)
    with pytest.raises(TooManySignIns):
        await sign_in(database, browser=eves)
    for made_up in ("made up", "\ud800"):
        with pytest.raises(TooManySignIns):
            await sign_in(database, browser=made_up)


async def test_two_people_may_share_a_browser(database: Database, ann: User) -> None:
    async with database.transaction() as session:
        other = await make_organization(session, slug="other")
        hashed = await hash_password(PASSWORD)
        await make_member(session, other, email="eve@example.com", password_hash=hashed)
    planted = await enter(database)
    browser = await enter(database, email="eve@example.com", browser=planted)
    assert browser != planted
    await lock(database)
    assert await sign_in(database, browser=browser)
    with pytest.raises(TooManySignIns):  # what was in the cookie before is good for nothing
        await sign_in(database, browser=planted)


async def test_a_browser_is_known_for_half_a_year_after_the_last_time(database: Database, ann: User) -> None:
    day, browser = timedelta(days=1), await enter(database)
    await lock(database)
    almost, then = timedelta(days=180) - MINUTE, timedelta(days=180)
    async with database.session() as session:
        known, email = [browser], "ann@example.com"
        assert await find_known_browser(session, tokens=known, email=email, now=NOON + almost) is not None
        assert await find_known_browser(session, tokens=known, email=email, now=NOON + then) is None
    ticket = await sign_in(database, at=100 * day)
    redeemed = await redeem(database, ticket, at=100 * day, browser=browser)
    assert redeemed is not None
    async with database.session() as session:
        known = [redeemed.browser_token]
        assert (
            await find_known_browser(session, tokens=known, email=email, now=NOON + 100 * day + almost)
            is not None
        )


async def test_signing_out_leaves_the_browser_known_and_a_new_password_does_not(
    database: Database, ann: User
) -> None:
    redeemed = await redeem(database, await sign_in(database))
    assert redeemed is not None
    async with database.transaction() as session:
        await sign_out(session, tokens=[redeemed.session_token], now=NOON)
    await lock(database)
    assert await sign_in(database, browser=redeemed.browser_token)
    there = await redeem(database, await sign_in(database, browser=redeemed.browser_token))
    assert there is not None
    async with database.transaction() as session:
        await change_password(session, email="Ann@example.com", password="a new long password", now=NOON)
    async with database.session() as session:
        assert await resolve_session(session, tokens=[there.session_token], now=NOON) is None
        assert (await session.execute(select(KnownBrowser))).all() == []
    assert await sign_in(database, password="a new long password"), "the lock is lifted as well"
    await fail(database, browser=there.browser_token)


async def test_a_link_of_the_operator_opens_whatever_strangers_did(database: Database, ann: User) -> None:
    await lock(database)
    async with database.transaction() as session:
        ticket = await issue_link_ticket(session, email="ann@example.com", now=NOON)
    assert await redeem(database, ticket, at=11 * MINUTE) is None
    redeemed = await redeem(database, ticket, at=9 * MINUTE)
    assert redeemed is not None
    assert await sign_in(database, browser=redeemed.browser_token)


async def test_no_browsers_token_is_stored_in_the_clear(database: Database, ann: User) -> None:
    browser = await enter(database)
    async with database.session() as session:
        [stored] = (await session.execute(select(col(KnownBrowser.token_hash)))).scalars()
    assert stored != browser


async def test_a_ticket_is_good_once_even_when_redeemed_twice_at_the_same_moment(
    database: Database, ann: User
) -> None:
    ticket = await sign_in(database)
    answers = await asyncio.gather(*(redeem(database, ticket) for _ in range(4)))
    assert sum(answer is not None for answer in answers) == 1


async def test_a_ticket_is_good_for_a_minute(database: Database, ann: User) -> None:
    ticket = await sign_in(database)
    assert await redeem(database, ticket, at=MINUTE) is None
    assert await redeem(database, ticket, at=timedelta(seconds=59)) is not None


async def test_an_unknown_ticket_is_good_for_nothing(database: Database, ann: User) -> None:
    assert await redeem(database, "made up \ud800") is None


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil",
        "/\tevil",
        "/a\n//b",
        "javascript:1",
        "",
        "/" + "x" * 3000,
    ],
)
def test_a_path_that_leads_elsewhere_leads_home(path: str) -> None:
    assert local_path(path) == "/"


def test_a_path_of_ours_is_kept_with_its_query() -> None:
    assert local_path("/acme/campaigns/7?tab=calls#top") == "/acme/campaigns/7?tab=calls#top"


async def test_a_session_ends_after_fourteen_days(database: Database, ann: User) -> None:
    redeemed = await redeem(database, await sign_in(database))
    assert redeemed is not None
    async with database.session() as session:
        token = redeemed.session_token
        almost = NOON + timedelta(days=14) - timedelta(seconds=1)
        assert await resolve_session(session, tokens=[token], now=almost) is not None
        assert await resolve_session(session, tokens=[token], now=NOON + timedelta(days=14)) is None


async def test_signing_out_ends_this_session_and_no_other(database: Database, ann: User) -> None:
    here = await redeem(database, await sign_in(database))
    there = await redeem(database, await sign_in(database))
    assert here is not None
    assert there is not None
    async with database.transaction() as session:
        await sign_out(session, tokens=[here.session_token], now=NOON)
        assert await resolve_session(session, tokens=[here.session_token], now=NOON) is None
        assert await resolve_session(session, tokens=[there.session_token], now=NOON) is not None


async def test_a_member_is_a_principal_in_their_organization_and_nobody_elsewhere(
    database: Database, ann: User
) -> None:
    async with database.transaction() as session:
        await make_organization(session, slug="other")
        found = await principal_for(session, user_id=ann.id, organization_slug="acme")
        assert found is not None
        assert (found.role, found.actor, found.organization_slug) == (Role.MANAGER, "ann@example.com", "acme")
        assert await principal_for(session, user_id=ann.id, organization_slug="other") is None
        assert await principal_for(session, user_id=ann.id, organization_slug="nowhere") is None


async def test_a_person_may_be_a_member_of_several_organizations(database: Database, ann: User) -> None:
    from app.models import Member

    async with database.transaction() as session:
        other = await make_organization(session, slug="beta", name="Beta")
        session.add(Member(organization_id=other.id, user_id=ann.id, role=Role.VIEWER, created_at=NOON))
        await session.flush()
        listed = await memberships(session, user_id=ann.id)
    assert [(one.slug, one.role) for one in listed] == [("acme", Role.MANAGER), ("beta", Role.VIEWER)]


async def test_only_a_live_hash_is_kept_of_a_password(database: Database, ann: User) -> None:
    async with database.session() as session:
        stored = (await session.execute(select(col(User.password_hash)))).scalar_one()
    assert stored.startswith("$argon2id$")

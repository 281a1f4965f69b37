"""Doors: what is locked, for whom, and that people arrive where they wanted to go."""

import re

from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.browsing import heading, ready, row, sign_in, sign_out, visit
from tests.e2e.world import BrowserWorld

_SIGN_IN = re.compile(r"/sign-in")


def test_a_deep_link_leads_to_sign_in_and_back(page: Page, world: BrowserWorld) -> None:
    campaign_id = world.campaign("Spring reminders", world.contacts(1))
    person = world.member()
    page.goto(world.address(f"campaigns/{campaign_id}"))
    page.wait_for_url(_SIGN_IN)
    sign_in(page, person)
    expect(page).to_have_url(world.address(f"campaigns/{campaign_id}"))
    expect(heading(page, "Spring reminders")).to_be_visible()


def test_a_wrong_password_is_refused_without_saying_which_part_was_wrong(
    page: Page, world: BrowserWorld
) -> None:
    person = world.member()
    visit(page, "/sign-in")
    page.get_by_label("E-mail").fill(person.email)
    page.get_by_label("Password").fill("not that one at all")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("do not go together")
    sign_in(page, person)
    expect(page).to_have_url(world.address("campaigns"))


def test_the_cookie_of_the_session_is_out_of_reach_of_scripts(page: Page, world: BrowserWorld) -> None:
    visit(page, "/sign-in")
    sign_in(page, world.member())
    assert "session" not in page.evaluate("document.cookie")


def test_no_cookie_of_another_page_of_the_host_locks_anybody_out(page: Page, world: BrowserWorld) -> None:
    visit(page, "/sign-in")
    page.evaluate(
        """() => {
            for (const odd of ['prefs={"a":1}', 'x[y]=1', 'foo', '=x', 'foo=a b', 'foo=a"b', 'naïve=1'])
                document.cookie = odd + '; path=/';
            for (const path of ['/_event', '/auth', '/sign-in'])
                for (const name of ['callsheet_session', 'callsheet_browser'])
                    document.cookie = name + '=planted; path=' + path;
        }"""
    )
    sign_in(page, world.member())
    expect(page).to_have_url(world.address("campaigns"))
    visit(page, world.address("agents"))
    expect(heading(page, "Agents")).to_be_visible()
    sign_out(page)
    page.wait_for_url(_SIGN_IN)
    expect(heading(page, "Sign in")).to_be_visible()


def test_who_downloads_after_the_session_has_ended_is_told_why_the_sign_in_page_is_there(
    context: BrowserContext, page: Page, world: BrowserWorld
) -> None:
    person = world.member()
    world.sign_in(context, person)
    visit(page, world.address("campaigns"))
    world.sign_out_everywhere(person)
    visit(page, re.sub(r"/([^/]+)/campaigns$", r"/download/\1/contacts.csv", world.address("campaigns")))
    expect(page.get_by_text("You were signed out meanwhile")).to_be_visible()


def test_signing_out_locks_every_tab_and_every_address(
    context: BrowserContext, page: Page, world: BrowserWorld
) -> None:
    campaign_id = world.campaign("Spring reminders", world.contacts(1))
    world.sign_in(context, world.member())
    other_tab = context.new_page()
    visit(other_tab, world.address(f"campaigns/{campaign_id}"))
    visit(page, world.address("campaigns"))
    expect(row(page, "Spring reminders")).to_be_visible()
    sign_out(page)
    for tab in (page, other_tab):
        tab.wait_for_url(_SIGN_IN)
        expect(heading(tab, "Sign in")).to_be_visible()
        expect(tab.get_by_text("Spring reminders")).to_have_count(0)
    for path in ("campaigns", f"campaigns/{campaign_id}", "contacts", "agents", "numbers", "settings"):
        page.goto(world.address(path))
        page.wait_for_url(_SIGN_IN)
    page.go_back()
    page.wait_for_url(_SIGN_IN)
    ready(page)
    expect(page.get_by_text("Spring reminders")).to_have_count(0)


def test_a_session_that_was_ended_elsewhere_locks_the_page_at_the_next_step(
    context: BrowserContext, page: Page, world: BrowserWorld
) -> None:
    world.campaign("Spring reminders", world.contacts(1))
    person = world.member()
    world.sign_in(context, person)
    visit(page, world.address("campaigns"))
    expect(row(page, "Spring reminders")).to_be_visible()
    world.sign_out_everywhere(person)
    page.get_by_role("button", name="Create campaign").click()
    page.wait_for_url(_SIGN_IN)

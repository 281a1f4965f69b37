"""What holds on every page: a title, names for all controls, the mark of the simulated carrier, no sideways scroll."""

import re
from typing import Final

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from app.domain.rights import Role
from tests.e2e.browsing import visit
from tests.e2e.world import BrowserWorld

_OF_THE_ORGANIZATION: Final = (
    "campaigns",
    "campaigns/{id}",
    "campaigns/{id}/contacts",
    "campaigns/{id}/settings",
    "campaigns/{id}/calls",
    "campaigns/{id}/edit/basics",
    "campaigns/{id}/edit/message",
    "campaigns/{id}/edit/contacts",
    "campaigns/{id}/edit/pace",
    "campaigns/{id}/edit/review",
    "contacts",
    "imports",
    "suppressions",
    "agents",
    "numbers",
    "settings",
)
_CONTROLS: Final = "button|link|textbox|searchbox|combobox|checkbox|radio|spinbutton|progressbar|table|dialog"
_NAMELESS: Final = re.compile(rf"^ *- (?:{_CONTROLS})(?: \[.*\])?:?$", re.MULTILINE)
_DOUBLED_IDS: Final = """() => {
    const ids = [...document.querySelectorAll('[id]')].map((element) => element.id);
    return ids.filter((id, place) => ids.indexOf(id) !== place);
}"""
_SIDEWAYS: Final = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.mark.parametrize("path", _OF_THE_ORGANIZATION)
def test_a_page_is_sound(context: BrowserContext, page: Page, world: BrowserWorld, path: str) -> None:
    campaign_id = world.campaign("Spring reminders", world.contacts(2))
    world.sign_in(context, world.member(Role.MANAGER))
    visit(page, world.address(path.format(id=campaign_id)))
    _expect_sound(page)


def test_the_sign_in_page_is_sound(page: Page) -> None:
    visit(page, "/sign-in")
    _expect_sound(page)


def _expect_sound(page: Page) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    expect(page).to_have_title(re.compile("Callsheet$"))
    expect(page.get_by_role("note").first).to_contain_text("nobody is really called")
    assert _NAMELESS.findall(page.locator("body").aria_snapshot()) == []
    assert page.evaluate(_DOUBLED_IDS) == []
    for width in (390, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        # A page may still be drawing itself anew for this width; where it settles is what counts.
        page.wait_for_function(f"({_SIDEWAYS})() <= 0", timeout=5_000)

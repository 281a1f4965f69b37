"""A file whose time zones are words: asked about, confirmed, and then shown where each person is."""

import re
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.browsing import choose_file, ready, visit
from tests.e2e.world import BrowserWorld

_PEOPLE = """phone,name,time_zone
+16025557101,Ada Arizona,
+12125557102,Ben Boulder,Mountain Time
+12125557103,Cy Chicago,CST
+12705557104,Di Kentucky,
"""


def test_words_are_confirmed_and_each_person_s_page_says_where_they_are(
    context: BrowserContext, page: Page, world: BrowserWorld, tmp_path: Path
) -> None:
    (tmp_path / "people.csv").write_text(_PEOPLE)
    world.sign_in(context, world.member())
    visit(page, world.address("contacts/import"))
    choose_file(page, tmp_path / "people.csv")

    words = page.get_by_role("table", name="Words of the time zone column and what they mean")
    expect(words.get_by_role("row").filter(has_text="CST")).to_contain_text("is an abbreviation")
    expect(page.get_by_label("Time zone meant by Mountain Time")).to_have_value("America/Denver")
    zones = page.get_by_role("table", name="People by time zone")
    expect(zones.get_by_role("row").filter(has_text="America/Denver")).to_have_count(0)
    page.get_by_label("Use these zones").click()
    expect(zones.get_by_role("row").filter(has_text="America/Denver")).to_contain_text("1 person")
    expect(zones.get_by_role("row").filter(has_text="America/Chicago or")).to_contain_text("1 person")

    page.get_by_label("Time zone meant by Mountain Time").fill("MST")
    page.get_by_label("Time zone meant by Mountain Time").blur()
    expect(words.get_by_role("alert")).to_contain_text("abbreviation")
    expect(page.get_by_label("Use these zones")).not_to_be_checked()
    page.get_by_label("Time zone meant by Mountain Time").fill("America/Boise")
    page.get_by_label("Use these zones").click()
    expect(zones.get_by_role("row").filter(has_text="America/Boise")).to_contain_text("1 person")

    page.get_by_role("button", name="Import 4 contacts").click()
    expect(page.get_by_text("4 contacts are now in the address book.")).to_be_visible(timeout=30_000)
    expect(zones.get_by_role("row").filter(has_text="America/Boise")).to_contain_text("1 person")

    visit(page, world.address("contacts"))
    page.get_by_role("link", name="Ada Arizona").click()
    page.wait_for_url(re.compile(r"/contacts/[0-9]+"))
    ready(page)
    expect(page.get_by_text("America/Phoenix, from the phone number: likely")).to_be_visible()
    expect(page.get_by_text(re.compile("^there it is [0-9]{2}:[0-9]{2}$")).first).to_be_visible()

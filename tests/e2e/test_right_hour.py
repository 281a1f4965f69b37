"""A list from four time zones, started at a certain hour: each person is reached by the hours of their own clock."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from app.domain.campaign import Channel
from tests.e2e.browsing import choose_card, choose_file, ready, row, start, status, visit
from tests.e2e.world import BrowserWorld

_ZONES: Final = ("Europe/London", "America/New_York", "Pacific/Honolulu", "Asia/Kolkata")
_MORNING: Final = datetime(2027, 3, 1, 15, 0, tzinfo=UTC)
"""A Monday: 15:00 in London, 10:00 in New York, 05:00 in Honolulu, 20:30 in Kolkata."""
_NINE_IN_HONOLULU: Final = datetime(2027, 3, 1, 19, 0, tzinfo=UTC)
_TUESDAY_IN_KOLKATA: Final = datetime(2027, 3, 2, 3, 30, tzinfo=UTC)
_TEXTS: Final[dict[str, Any]] = {
    "channel": "sms",
    "sms_message_template": "Hi {{name}}. Reply STOP to opt out.",
}


@pytest.mark.parametrize("channel", [Channel.CALL, Channel.SMS])
def test_two_are_reached_at_once_and_two_wait_for_their_own_morning(
    context: BrowserContext, page: Page, world: BrowserWorld, tmp_path: Path, channel: Channel
) -> None:
    is_text = channel is Channel.SMS
    people = world.contacts(4, "delivered" if is_text else "answers_confirms")
    file = tmp_path / "four_zones.csv"
    lines = [f"{each.number},{each.name},{zone}" for each, zone in zip(people, _ZONES, strict=True)]
    file.write_text("\n".join(["phone,name,time_zone", *lines]))
    london, new_york, honolulu, kolkata = people
    reached = world.installation.carrier.calls_to

    with world.installation.at(_MORNING) as show:
        campaign_id = world.campaign("Around the globe", [], **_TEXTS if is_text else {})
        world.sign_in(context, world.member())
        visit(page, world.address(f"campaigns/{campaign_id}/edit/contacts"))
        choose_file(page, file)
        page.get_by_role("button", name="Import 4 contacts").click()
        expect(page.get_by_text(re.compile("4 contacts (are|were) "))).to_be_visible(timeout=30_000)
        visit(page, world.address(f"campaigns/{campaign_id}/edit/pace"))
        choose_card(page, re.compile("^Within certain hours"))
        expect(page.get_by_role("radio", name=re.compile("^Where they are"))).to_be_checked()
        visit(page, world.address(f"campaigns/{campaign_id}"))
        start(page)
        expect(status(page)).to_contain_text("Running")

        page.get_by_role("navigation", name="Campaign").get_by_role("link", name="Contacts").click()
        ready(page)
        for each in (london, new_york):
            expect(row(page, each.name)).to_contain_text("Completed", timeout=30_000)
        expect(row(page, honolulu.name)).to_contain_text("09:00")
        expect(row(page, honolulu.name)).to_contain_text("there it is 05:00")
        expect(row(page, kolkata.name)).to_contain_text("there it is 20:30")
        assert [reached(each.number) for each in people] == [1, 1, 0, 0]

        show(_NINE_IN_HONOLULU)
        expect(row(page, honolulu.name)).to_contain_text("Completed", timeout=30_000)
        assert [reached(each.number) for each in people] == [1, 1, 1, 0]
        show(_TUESDAY_IN_KOLKATA)
        expect(status(page)).to_contain_text("Completed", timeout=30_000)
        assert [reached(each.number) for each in people] == [1, 1, 1, 1]

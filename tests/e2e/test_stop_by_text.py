"""Whoever answers a text with STOP is left alone from then on, whichever campaign they are in next."""

from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.suppression import SuppressionSource
from app.installation.processes import wait_until
from app.models import PhoneNumber
from app.services.campaigns.operations import duplicate_campaign
from app.services.suppression.queries import SuppressionView, suppressions_of
from tests.e2e.browsing import row, start, status, visit
from tests.e2e.world import BrowserWorld

_PATIENCE = 20.0


def test_stop_by_text_holds_for_the_next_campaign(
    context: BrowserContext, page: Page, world: BrowserWorld
) -> None:
    annoyed, friendly = world.contacts(1, "replies_stop")[0], world.contacts(1, "delivered")[0]
    words = {"channel": "sms", "sms_message_template": "Hi {{name}}. Reply STOP to opt out."}
    first = world.campaign("First texts", [annoyed, friendly], **words)
    second = _duplicate(world, first)
    assert wait_until(lambda: _texts_are_heard(world), seconds=_PATIENCE)
    world.sign_in(context, world.member())
    visit(page, world.address(f"campaigns/{first}/contacts"))
    start(page)
    expect(status(page)).to_contain_text("Completed", timeout=30_000)
    assert wait_until(lambda: bool(_suppressions(world, annoyed.number)), seconds=_PATIENCE)
    (stopped,) = _suppressions(world, annoyed.number)
    assert stopped.source is SuppressionSource.STOP_MESSAGE
    assert _suppressions(world, friendly.number) == []

    visit(page, world.address(f"campaigns/{second}/contacts"))
    start(page)
    expect(status(page)).to_contain_text("Completed", timeout=30_000)
    expect(row(page, annoyed.name)).to_contain_text("Skipped")
    expect(row(page, friendly.name)).to_contain_text("Completed")
    assert world.installation.carrier.calls_to(annoyed.number) == 1


def _duplicate(world: BrowserWorld, campaign_id: int) -> int:
    """The same for the same people, prepared before anybody has answered."""
    return world.installation.services.do(
        lambda session: duplicate_campaign(
            session, principal=world.principal, campaign_ref=campaign_id, now=world.now
        )
    )


def _texts_are_heard(world: BrowserWorld) -> bool:
    async def look(session: AsyncSession) -> bool:
        number = await session.get_one(PhoneNumber, world.number_ids[0])
        return number.inbound_checked_at is not None and not number.inbound_problem

    return world.installation.services.do(look)


def _suppressions(world: BrowserWorld, number: str) -> list[SuppressionView]:
    return world.installation.services.do(
        lambda session: suppressions_of(session, principal=world.principal, number=number)
    )

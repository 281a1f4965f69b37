"""What a start warns of about the numbers it would call from."""

from collections.abc import Mapping
from datetime import timedelta

from app.domain.campaign import Channel
from app.domain.number_health import NumberRest
from app.models import PhoneNumber
from app.services.campaigns.operations import create_campaign, update_campaign
from app.services.campaigns.preflight import preflight
from app.services.numbers.carriers import ensure_carrier_account
from tests.services.campaign_world import REAL, SIMULATED, CampaignWorld
from tests.support.builders import NOON, make_number


async def numbers(world: CampaignWorld, *kinds: Mapping[str, object]) -> list[PhoneNumber]:
    async with world.database.transaction() as session:
        return [
            await make_number(session, world.organization, number=f"+1201555010{place}", **kind)
            for place, kind in enumerate(kinds)
        ]


async def warnings(
    world: CampaignWorld, pool: list[PhoneNumber], *, people: int = 1, channel: str = "call"
) -> list[str]:
    ids = [number.id for number in pool]
    campaign_id = await world.campaign(people=people, channel=Channel(channel))
    changes = {"number_pool": ids, "sms_message_template": "Hi", "welcome_message_template": "Hi"}
    await world.do(update_campaign, campaign_ref=campaign_id, changes=changes)
    return (await world.ask(preflight, campaign_ref=campaign_id, now=NOON, carrier=SIMULATED)).warnings


async def test_each_number_that_is_skipped_is_named_with_its_reason(world: CampaignWorld) -> None:
    async with world.database.transaction() as session:
        elsewhere = await ensure_carrier_account(session, REAL, now=NOON)
    pool = await numbers(
        world,
        {"label": "Sales"},
        {"active": False, "label": "Old"},
        {"voice": False},
        {"carrier_account_id": elsewhere.id},
    )
    assert await warnings(world, pool) == [
        "+1 201-555-0101 (Old) is skipped: it is not active.",
        "+1 201-555-0102 is skipped: it cannot make calls.",
        "+1 201-555-0103 is skipped: it belongs to another carrier account.",
    ]


async def test_a_number_that_rests_is_named_with_why_and_until_when(world: CampaignWorld) -> None:
    flagged = {"rest": NumberRest.FLAGGED, "resting_until": NOON + timedelta(hours=3)}
    aside = {"rest": NumberRest.MANUAL}
    over = {"rest": NumberRest.LOW_ANSWER_RATE, "resting_until": NOON}
    pool = await numbers(world, flagged, aside, over)
    found = await warnings(world, pool)
    assert found[0].startswith("+1 201-555-0100 rests until ")
    assert found[0].endswith(": it was flagged as spam.")
    assert found[1:] == ["+1 201-555-0101 rests until somebody puts it back to work: somebody set it aside."]
    assert await warnings(world, pool, channel="sms") == []


async def test_nobody_is_called_while_all_numbers_rest(world: CampaignWorld) -> None:
    [aside] = await numbers(world, {"rest": NumberRest.MANUAL})
    assert (await warnings(world, [aside]))[-1] == (
        "Nobody is called until you put one back to work, under Numbers."
    )


async def test_one_number_for_twenty_contacts_is_advised_of_those_that_work(world: CampaignWorld) -> None:
    pool = await numbers(world, {}, {}, {"active": False})
    assert len(await warnings(world, pool, people=40)) == 1
    found = await warnings(world, pool, people=41)
    assert "41 contacts share 2 numbers" in found[-1]
    assert "(3 here)" in found[-1]


async def test_a_draft_without_a_usable_number_has_an_error_and_no_warning(world: CampaignWorld) -> None:
    [off] = await numbers(world, {"active": False})
    campaign_id = await world.do(create_campaign, changes={"name": "x", "number_pool": [off.id]})
    sees = await world.ask(preflight, campaign_ref=campaign_id, now=NOON)
    assert "is not active" in sees.errors["phone_number_id"]

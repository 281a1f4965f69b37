"""What an attempt says, as it is rendered at the reservation."""

from typing import Any

import pytest

from app.domain.campaign import Channel, CompanyMeaning
from app.domain.templates import Missing, MissingVariable
from app.models import Campaign, Contact
from app.services.campaigns.rendering import render_attempt_texts
from app.services.campaigns.rows import first_step
from tests.services.campaign_world import CampaignWorld
from tests.support.builders import make_contact


async def _texts(
    world: CampaignWorld, variables: dict[str, object] | None = None, **values: Any
) -> dict[str, str]:
    campaign_id = await world.campaign(**values)
    async with world.database.session() as session:
        campaign = await session.get_one(Campaign, campaign_id)
        step = await first_step(session, campaign_id)
        contact: Contact = await make_contact(
            session, world.organization, name="Ann Lee", company="Beta", number="+12024561111"
        )
        return render_attempt_texts(step, campaign, world.agent, "Acme Corp", contact, variables or {})


async def test_a_call_has_four_parts_and_a_missing_one_is_empty(world: CampaignWorld) -> None:
    step = {
        "welcome_message_template": "Hi {{first_name}}, {{assistant_name}} from {{company}}.",
        "agenda_template": "Your {{plan}} plan, {{phone|phone_format}}.",
    }

    assert await _texts(world, {"plan": "gold"}, step=step) == {
        "welcome": "Hi Ann, Ava from Acme Corp.",
        "agenda": "Your gold plan, (202) 456-1111.",
        "question": "",
        "closing": "",
    }


async def test_without_a_welcome_message_the_agent_greets(world: CampaignWorld) -> None:
    texts = await _texts(world, step={"welcome_message_template": " "})

    assert texts["welcome"] == "Hello Ann Lee."


async def test_a_message_has_a_body_alone(world: CampaignWorld) -> None:
    assert await _texts(world, channel=Channel.SMS) == {"body": "Hello Ann Lee."}


async def test_what_the_list_said_of_a_person_wins_over_the_address_book(world: CampaignWorld) -> None:
    texts = await _texts(world, {"name": "Annie"})

    assert texts["welcome"] == "Hello Annie."


async def test_company_is_the_contacts_own_where_the_campaign_says_so(world: CampaignWorld) -> None:
    texts = await _texts(
        world,
        company_meaning=CompanyMeaning.CONTACT,
        step={"agenda_template": "{{company}} and {{contact_company}}"},
    )

    assert texts["agenda"] == "Beta and Beta"


@pytest.mark.parametrize(
    ("missing", "said"),
    [(Missing.FALLBACK, "On your day."), (Missing.KEEP, "On your day."), (Missing.BLANK, "On your day.")],
)
async def test_a_fallback_stands_in_for_what_is_missing(
    world: CampaignWorld, missing: Missing, said: str
) -> None:
    texts = await _texts(
        world, missing=missing, fallback_values={"day": "your day"}, step={"agenda_template": "On {{day}}."}
    )

    assert texts["agenda"] == said


async def test_a_placeholder_may_be_kept_as_it_was_written(world: CampaignWorld) -> None:
    texts = await _texts(world, missing=Missing.KEEP, step={"agenda_template": "On {{ day }}."})

    assert texts["agenda"] == "On {{ day }}."


async def test_a_contact_without_a_value_may_be_skipped(world: CampaignWorld) -> None:
    with pytest.raises(MissingVariable):
        await _texts(world, missing=Missing.SKIP, step={"agenda_template": "On {{day}}."})

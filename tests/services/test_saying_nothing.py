"""Nobody is called or texted to be told nothing: the carrier is not asked, and why is said."""

from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import col

from app.domain.campaign import CampaignStatus, Channel
from app.domain.gate import Rule
from app.domain.recipient import RecipientStatus
from app.domain.templates import Missing
from app.models import Agent, Contact, Step
from app.runtime.database import Database
from tests.support.stage import DialingStage, set_stage

_S = RecipientStatus
_PART = {Channel.CALL: "welcome_message_template", Channel.SMS: "sms_message_template"}
CHANNELS = sorted(_PART)


async def _stage(database: Database, channel: Channel, template: str, **campaign: Any) -> DialingStage:
    step = {_PART[channel]: template}
    return await set_stage(database, channel=channel, step=step, messages_per_second=100, **campaign)


@pytest.mark.parametrize(
    ("missing", "template", "fallbacks"),
    [
        (Missing.BLANK, "{{email}}", {}),
        (Missing.FALLBACK, "{{email}}", {}),
        (Missing.FALLBACK, "{{email}}", {"email": " "}),
        (Missing.FALLBACK, "{{email|default('\u200b')}} \u2060", {"email": "\u200b"}),
        (Missing.BLANK, "{% if email %}Hi{% endif %}\ufeff", {}),
        (Missing.SKIP, "{% if email %}{{email}}{% endif %}", {}),
        (Missing.KEEP, "{% if email %}{{email}}{% endif %}", {}),
    ],
    ids=ascii,
)
@pytest.mark.parametrize("channel", CHANNELS)
async def test_who_would_be_told_nothing_is_skipped_with_the_reason(
    database: Database, channel: Channel, missing: Missing, template: str, fallbacks: dict[str, str]
) -> None:
    stage = await _stage(database, channel, template, missing=missing, fallback_values=fallbacks)
    told, empty, unseen = await stage.recipients()
    for recipient, email in ((told, "ann@example.com"), (empty, ""), (unseen, "\u200b")):
        async with database.transaction() as session:
            await session.execute(
                update(Contact).where(col(Contact.id) == recipient.contact_id).values(email=email)
            )

    await stage.dial()

    assert [attempt.recipient_id for attempt in await stage.attempts()] == [told.id]
    assert len(stage.carrier.orders) == 1
    after = {each.id: each for each in await stage.recipients()}
    for each in (empty, unseen):
        assert (after[each.id].status, after[each.id].blocked_by) == (_S.SKIPPED, Rule.TEMPLATE)
        assert after[each.id].blocked_why == (
            "The message is empty for this contact: they have no value for what it says."
        )


@pytest.mark.parametrize("blank", ["", " ", "\u200b", "{# later #}"], ids=ascii)
@pytest.mark.parametrize("channel", CHANNELS)
async def test_a_campaign_with_nothing_to_say_to_anybody_fails_and_skips_nobody(
    database: Database, channel: Channel, blank: str
) -> None:
    stage = await _stage(database, channel, "Hi {{name}}.")
    async with database.transaction() as session:
        await session.execute(update(Step).values({_PART[channel]: blank}))
        await session.execute(update(Agent).values(greeting=blank))

    await stage.dial()

    campaign = await stage.campaign()
    assert (campaign.status, await stage.attempts()) == (CampaignStatus.FAILED, [])
    assert campaign.status_reason.startswith("Write ")
    assert await stage.statuses() == {_S.PENDING: 3}


async def test_a_call_with_a_blank_welcome_that_says_something_else_is_made(database: Database) -> None:
    step = {"welcome_message_template": "{{email}}", "agenda_template": "About your order."}
    stage = await set_stage(database, contacts=1, step=step, missing=Missing.BLANK)
    assert len(await stage.dial()) == 1

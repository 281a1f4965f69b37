"""Whatever takes a campaign back to running asks what a start asks: nobody is called with half a sentence."""

from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import text

from app.domain.campaign import CampaignStatus
from app.domain.recipient import RecipientStatus
from app.runtime.database import Database
from app.services.campaigns.lifecycle import pause_campaign, resume_campaign, retry_failed
from app.services.campaigns.recipients import retry_recipients
from app.services.errors import Conflict
from app.services.numbers.carriers import CarrierIdentity
from tests.support.builders import principal
from tests.support.stage import DialingStage, set_stage

S, R = CampaignStatus, RecipientStatus

Way = Callable[[DialingStage], Awaitable[object]]


def _carrier(stage: DialingStage) -> CarrierIdentity:
    return CarrierIdentity("twilio", stage.account.account_sid, stage.account.api_url, simulated=True)


async def _resume(stage: DialingStage) -> None:
    await stage.database.write(
        lambda session: resume_campaign(
            session,
            principal=principal(stage.organization),
            campaign_ref=stage.campaign_id,
            now=stage.clock.now(),
            carrier=_carrier(stage),
        )
    )


async def _retry_failed(stage: DialingStage) -> None:
    await stage.database.write(
        lambda session: retry_failed(
            session,
            principal=principal(stage.organization),
            campaign_ref=stage.campaign_id,
            now=stage.clock.now(),
        )
    )


async def _retry_one(stage: DialingStage) -> None:
    await stage.database.write(
        lambda session: retry_recipients(
            session,
            principal=principal(stage.organization),
            campaign_ref=stage.campaign_id,
            recipient_ids=None,
            everyone=True,
            now=stage.clock.now(),
        )
    )


WAYS: dict[str, tuple[Way, CampaignStatus]] = {
    "resume": (_resume, S.PAUSED),
    "retry failed": (_retry_failed, S.COMPLETED),
    "retry one contact": (_retry_one, S.COMPLETED),
}

EMPTIED = {
    "nothing to say": "WITH agents AS (UPDATE agent SET greeting = '')"
    " UPDATE step SET welcome_message_template = '', agenda_template = ''",
    "a welcome that nobody can hear": "WITH agents AS (UPDATE agent SET greeting = E'\\u2060')"
    " UPDATE step SET welcome_message_template = E'\\u200b', agenda_template = E' \\ufeff'",
    "nothing but remarks": "WITH agents AS (UPDATE agent SET greeting = '{# later #}')"
    " UPDATE step SET welcome_message_template = '{# a remark #}', agenda_template = ''",
    "a variable with a blank fallback": "WITH campaigns AS"
    " (UPDATE campaign SET fallback_values = jsonb_build_object('nobody', ' '))"
    " UPDATE step SET welcome_message_template = '{{nobody}}'",
    "a variable with a blank default": "UPDATE step"
    " SET welcome_message_template = '{{nobody|default(\"\")}}'",
    "a variable that nobody has": "UPDATE step SET welcome_message_template = 'Hello {{nobody_has_this}} bye'",
    "no agent": "UPDATE campaign SET agent_id = NULL",
    "no number": "UPDATE campaign SET phone_number_id = NULL",
}


async def _stage(database: Database, status: CampaignStatus) -> DialingStage:
    """A campaign whose one contact is still to be called, or was not reached."""
    stage = await set_stage(database, contacts=1, status=status)
    if status is S.COMPLETED:
        async with database.transaction() as session:
            await session.execute(text("UPDATE recipient SET status = 'no_answer', attempts_made = 3"))
    return stage


@pytest.mark.parametrize("emptied", EMPTIED)
@pytest.mark.parametrize("way", WAYS)
async def test_what_was_emptied_meanwhile_keeps_it_from_going_on(
    database: Database, way: str, emptied: str
) -> None:
    go_on, status = WAYS[way]
    stage = await _stage(database, status)
    async with database.transaction() as session:
        await session.execute(text(EMPTIED[emptied]))
    with pytest.raises(Conflict, match="This campaign cannot go on yet"):
        await go_on(stage)
    assert (await stage.campaign()).status is status
    assert await stage.dial() == ()


@pytest.mark.parametrize("way", WAYS)
async def test_with_all_of_it_there_it_goes_on(database: Database, way: str) -> None:
    go_on, status = WAYS[way]
    stage = await _stage(database, status)
    await go_on(stage)
    assert (await stage.campaign()).status in {S.QUEUED, S.RUNNING}
    assert len(await stage.dial()) == 1


async def test_a_campaign_without_anybody_left_to_call_may_be_resumed_to_its_end(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    await stage.dial()
    await stage.database.write(
        lambda session: pause_campaign(
            session,
            principal=principal(stage.organization),
            campaign_ref=stage.campaign_id,
            now=stage.clock.now(),
        )
    )
    await _resume(stage)
    assert (await stage.campaign()).status is S.RUNNING

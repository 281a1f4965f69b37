"""What the people of a campaign wait for: the counts on its Overview, and the filter of its list."""

from datetime import UTC, datetime, timedelta
from typing import Any

from app.domain.calling_hours import HoursClock
from app.domain.campaign import CampaignStatus
from app.domain.recipient import RecipientStatus
from app.domain.waiting import SkipReason, WaitReason
from app.models import Campaign
from app.runtime.database import Database
from app.services.campaigns import waiting
from app.services.campaigns.call_log import list_recipients
from app.services.campaigns.progress import campaign_snapshot
from app.services.campaigns.recipients import skip_recipients
from app.services.campaigns.views import CampaignSnapshot, WaitingCount
from app.services.campaigns.waiting import Because
from app.services.dialing.explain import explain
from tests.support.builders import make_contact, make_recipient, principal
from tests.support.numbers import new_number
from tests.support.stage import DialingStage, set_stage
from tests.support.statements import sent_statements

_HOUR = timedelta(hours=1)

# 10:00 in New York, 07:00 in Los Angeles: the law there opens at 09:00.
NEW_YORK, LOS_ANGELES, HONOLULU = 212, 213, 808
NINE_IN_LOS_ANGELES = datetime(2026, 3, 2, 17, tzinfo=UTC)


async def people(stage: DialingStage, count: int, *, area: int = NEW_YORK, **values: Any) -> None:
    async with stage.database.transaction() as session:
        campaign = await session.get_one(Campaign, stage.campaign_id)
        for _ in range(count):
            contact = await make_contact(session, stage.organization, number=new_number(area))
            await make_recipient(
                session, campaign, contact, **{"not_before": stage.clock.now() - _HOUR} | values
            )


async def snapshot(stage: DialingStage) -> CampaignSnapshot:
    async with stage.database.session() as session:
        return await campaign_snapshot(
            session,
            organization_id=stage.organization.id,
            campaign_id=stage.campaign_id,
            now=stage.clock.now(),
        )


async def listed(stage: DialingStage, reason: str) -> list[int]:
    async with stage.database.session() as session:
        page = await list_recipients(
            session,
            principal=principal(stage.organization),
            campaign_ref=stage.campaign_id,
            because=Because(reason, stage.clock.now()),
        )
    return [row.id for row in page.items]


async def mixed(database: Database) -> DialingStage:
    """A running campaign with people who wait for every reason, and skipped ones."""
    stage = await set_stage(database, contacts=0)
    later = stage.clock.now() + _HOUR
    await people(stage, 2)
    await people(stage, 3, area=LOS_ANGELES)
    await people(stage, 1, area=HONOLULU)
    await people(stage, 4, not_before=later, attempts_made=1)
    await people(stage, 1, not_before=later + _HOUR, attempts_made=1)
    for reason in (WaitReason.HOLD, WaitReason.NUMBER_IN_USE, WaitReason.FREQUENCY):
        await people(stage, 1, not_before=later, blocked_by=reason.value)
    for skipped in SkipReason:
        by = None if skipped is SkipReason.CARRIER else skipped.value
        await people(stage, 1, status=RecipientStatus.SKIPPED, blocked_by=by)
    return stage


async def test_the_waiting_people_are_counted_by_reason_and_all_of_them(database: Database) -> None:
    stage = await mixed(database)
    later = stage.clock.now() + _HOUR
    seen = await snapshot(stage)
    assert {each.reason: each.people for each in seen.waiting.counts} == {
        WaitReason.DUE: 2,
        WaitReason.CALLING_HOURS: 4,
        WaitReason.RETRY: 5,
        WaitReason.HOLD: 1,
        WaitReason.NUMBER_IN_USE: 1,
        WaitReason.FREQUENCY: 1,
    }
    assert sum(each.people for each in seen.waiting.counts) == seen.counts[RecipientStatus.PENDING]
    by_reason = {each.reason: each for each in seen.waiting.counts}
    assert by_reason[WaitReason.CALLING_HOURS] == WaitingCount(
        reason=WaitReason.CALLING_HOURS,
        people=4,
        until=NINE_IN_LOS_ANGELES,
        several=True,
        time_zone="America/Los_Angeles",
        clock=HoursClock.CONTACT,
    )
    assert (by_reason[WaitReason.RETRY].until, by_reason[WaitReason.RETRY].several) == (later, True)
    assert seen.waiting.next_at is None  # Two are due now.


async def test_each_filter_shows_those_of_whom_that_is_said(database: Database) -> None:
    stage = await mixed(database)
    ids = [each.id for each in await stage.recipients()]
    async with database.session() as session:
        said = await explain(
            session,
            principal=principal(stage.organization),
            campaign_ref=stage.campaign_id,
            recipient_ids=ids,
            now=stage.clock.now(),
        )
    found = {reason: await listed(stage, reason) for reason in (*WaitReason, *SkipReason)}
    assert sorted(each for there in found.values() for each in there) == sorted(ids)
    for reason, there in found.items():
        assert {said[each].told.rule for each in there} == {reason.value}, reason
    assert len(await listed(stage, "all")) == len(ids)


async def test_what_is_done_to_all_that_match_is_done_to_those_of_the_reason_alone(
    database: Database,
) -> None:
    stage = await mixed(database)
    asleep = await listed(stage, WaitReason.CALLING_HOURS)
    async with database.transaction() as session:
        done = await skip_recipients(
            session,
            principal=principal(stage.organization),
            campaign_ref=stage.campaign_id,
            recipient_ids=None,
            because=Because(WaitReason.CALLING_HOURS, stage.clock.now()),
            now=stage.clock.now(),
        )
    assert done.done == len(asleep) == 4
    assert set(asleep) < set(await listed(stage, SkipReason.BY_HAND))
    assert await listed(stage, WaitReason.CALLING_HOURS) == []


async def test_the_next_time_is_when_somebody_is_due_and_their_place_is_open(database: Database) -> None:
    stage = await set_stage(database, contacts=0)
    await people(stage, 3, area=LOS_ANGELES)
    await people(stage, 1, not_before=stage.clock.now() + 9 * _HOUR, attempts_made=1)
    seen = await snapshot(stage)
    assert seen.waiting.next_at == NINE_IN_LOS_ANGELES
    assert seen.waiting.hours is not None
    assert "It is 07:00 in Los Angeles" in seen.waiting.hours.why
    stage.clock.advance(minutes=30)
    again = (await snapshot(stage)).waiting.hours
    assert again is not None
    assert "It is 07:30 in Los Angeles" in again.why
    await stage.change(status=CampaignStatus.PAUSED)
    assert (await snapshot(stage)).waiting.next_at is None


async def test_many_people_are_counted_anew_only_after_some_seconds(
    database: Database, monkeypatch: Any
) -> None:
    monkeypatch.setattr(waiting, "MANY", 3)
    stage = await set_stage(database, contacts=0)
    await people(stage, 3, area=LOS_ANGELES)
    counted = []
    for seconds in (0, 3, 3):
        stage.clock.advance(seconds=seconds)
        with sent_statements(database) as sent:
            await snapshot(stage)
        counted.append(sum("UNION ALL" in each and "blocked_by" in each for each in sent))
    assert counted == [1, 0, 1]


async def test_a_retry_that_falls_into_closed_hours_is_counted_from_the_opening_on(
    database: Database,
) -> None:
    stage = await set_stage(database, contacts=0)
    eight_in_new_york_tomorrow = datetime(2026, 3, 3, 13, tzinfo=UTC)
    await people(stage, 1, not_before=stage.clock.now() + 13 * _HOUR, attempts_made=1)  # 23:00 there.
    [retry] = (await snapshot(stage)).waiting.counts
    assert (retry.reason, retry.until) == (WaitReason.RETRY, eight_in_new_york_tomorrow)
    assert (await snapshot(stage)).waiting.next_at == eight_in_new_york_tomorrow

"""A campaign fails when something has to be mended before anybody can be dialed, and goes on once it is."""

import asyncio
from collections.abc import Collection, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlmodel import col

from app.domain.campaign import CampaignStatus, Channel
from app.domain.events import EventKind, FailureClass
from app.domain.number_health import NumberRest
from app.domain.recipient import RecipientStatus
from app.models import Campaign, CampaignTransition, PhoneNumber, Step
from app.providers.base import NotPlaced, PlaceAnswer, Refused, Unclear
from app.runtime.database import Database
from app.runtime.fault_points import install
from app.services.campaigns.carrier_check import UNASKED, CarrierCheck
from app.services.campaigns.detail import get_campaign
from app.services.campaigns.failed import failed_campaigns
from app.services.campaigns.history import campaign_history
from app.services.campaigns.lifecycle import resume_campaign
from app.services.campaigns.operations import update_campaign
from app.services.campaigns.progress import campaign_snapshot
from app.services.dialing.audit.ledger import unaccounted
from app.services.errors import Conflict, FieldErrors
from app.services.numbers.carriers import CarrierIdentity
from tests.support.builders import make_campaign, make_number, make_recipient, principal
from tests.support.stage import DialingStage, set_stage

S, R, K, F = CampaignStatus, RecipientStatus, EventKind, FailureClass

REFUSED = Refused(
    failure=F.MISCONFIGURED, code=20003, message="Authenticate", remedy="Check TWILIO_AUTH_TOKEN."
)
WHY = "The carrier refuses our account or number: Authenticate (error 20003). Check TWILIO_AUTH_TOKEN."

UNREADABLE: dict[str, tuple[str, str]] = {
    "breaker": ("breaker", '{"window": "many"}'),
    "no breaker at all": ("breaker", "null"),
    "fallback values": ("fallback_values", "[1]"),
    "calling days": ("allowed_days", "{9}"),
    "calling windows": ("calling_windows", '[{"start": "nine"}]'),
    "no list of calling windows": ("calling_windows", '{"start": "09:00"}'),
    "retry outcomes": ("retry_on", "{sometimes}"),
    "waits by outcome": ("retry_delays_by_outcome", '{"busy": ["soon"]}'),
    "unknown outcome": ("retry_delays_by_outcome", '{"asleep": [1]}'),
    "time zone": ("time_zone", "Mars/Olympus"),
}


@pytest.fixture(autouse=True)
def no_kill_is_left() -> Iterator[None]:
    yield
    install(None)


async def history(stage: DialingStage, campaign_id: int | None = None) -> list[tuple[str, str, str, str]]:
    """Old and new status, who and why, in order."""
    async with stage.database.session() as session:
        rows = await session.execute(
            select(CampaignTransition)
            .where(col(CampaignTransition.campaign_id) == (campaign_id or stage.campaign_id))
            .order_by(col(CampaignTransition.id))
        )
        return [(each.old, each.new, each.actor, each.reason) for each in rows.scalars()]


async def corrupt(stage: DialingStage, column: str, stored: str) -> None:
    """Store what the product never would."""
    async with stage.database.transaction() as session:
        kind = await session.scalar(
            text(
                "SELECT format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = 'campaign'::regclass"
                " AND attname = :column"
            ),
            {"column": column},
        )
        await session.execute(
            text(f"UPDATE campaign SET {column} = CAST(:stored AS {kind}) WHERE id = :id"),
            {"stored": stored, "id": stage.campaign_id},
        )


async def resume(stage: DialingStage, *, check: CarrierCheck = UNASKED) -> None:
    account = stage.account
    identity = CarrierIdentity("twilio", account.account_sid, account.api_url, simulated=True)
    async with stage.database.transaction() as session:
        await resume_campaign(
            session,
            principal=principal(stage.organization),
            campaign_ref=stage.campaign_id,
            now=stage.clock.now(),
            carrier=identity,
            check=check,
        )


async def change(stage: DialingStage, *, as_shown: Collection[str] = (), **changes: Any) -> None:
    async with stage.database.transaction() as session:
        await update_campaign(
            session,
            principal=principal(stage.organization),
            campaign_ref=stage.campaign_id,
            changes=changes,
            as_shown=as_shown,
            now=stage.clock.now(),
        )


async def nobody_is_lost(stage: DialingStage) -> None:
    async with stage.database.session() as session:
        assert await unaccounted(session) == []


# --- a refused account ---


@pytest.mark.parametrize("channel", [Channel.CALL, Channel.SMS])
async def test_a_refused_account_fails_the_campaign_and_loses_nobody(
    database: Database, channel: Channel
) -> None:
    stage = await set_stage(database, contacts=8, channel=channel)
    stage.carrier.answers = lambda _: REFUSED
    await stage.dial(7)  # More than the breaker lets pass in a row: it is not the breaker's.

    campaign = await stage.campaign()
    assert (campaign.status, campaign.status_reason) == (S.FAILED, WHY)
    assert (await history(stage))[-1] == ("running", "failed", "system", WHY)
    assert [(each.status, each.attempts_made, each.last_error) for each in await stage.recipients()] == [
        (R.PENDING, 0, None)
    ] * 8
    assert await stage.dial() == ()
    await nobody_is_lost(stage)


@pytest.mark.parametrize("channel", [Channel.CALL, Channel.SMS])
async def test_every_campaign_of_the_account_fails_when_it_is_refused_and_no_sooner(
    database: Database, channel: Channel
) -> None:
    stage = await set_stage(database, contacts=1, channel=channel)
    async with database.transaction() as session:
        first = await session.get_one(Campaign, stage.campaign_id)
        number = await session.get_one(PhoneNumber, first.phone_number_id)
        other = await make_campaign(
            session, stage.organization, status=S.RUNNING, channel=channel, number=number,
            carrier_account_id=stage.account.id,
        )  # fmt: skip
        await make_recipient(session, other, not_before=stage.clock.now())
    stage.carrier.answers = lambda _: REFUSED
    await stage.dial()

    first_id, stage.campaign_id = stage.campaign_id, other.id
    assert (await stage.campaign()).status is S.RUNNING
    await stage.dial()
    assert (await history(stage))[-1] == ("running", "failed", "system", WHY)
    assert (await history(stage, first_id))[-1] == ("running", "failed", "system", WHY)


async def test_two_dialers_that_are_refused_at_once_make_one_transition(database: Database) -> None:
    stage = await set_stage(database, contacts=10)
    stage.carrier.answers = lambda _: REFUSED
    answers = [await stage.place(*await stage.reserve(5)), await stage.place(*await stage.reserve(5))]
    await asyncio.gather(*(stage.record(*each) for each in answers))
    await stage.dial()  # Had both been passed by while somebody held the row, the next look does it.

    assert [new for _, new, _, _ in await history(stage)].count("failed") == 1
    assert (await stage.campaign()).status is S.FAILED
    assert await stage.statuses() == {R.PENDING: 10}


async def test_calls_that_go_on_when_their_campaign_fails_come_to_their_end(database: Database) -> None:
    stage = await set_stage(database, contacts=2)
    (going_on,) = await stage.dial(1)
    stage.carrier.answers = lambda _: REFUSED
    await stage.dial(1)
    assert (await stage.campaign()).status is S.FAILED

    await stage.hear(going_on.attempt_id, K.RINGING, K.ANSWERED, K.COMPLETED)
    assert await stage.statuses() == {R.COMPLETED: 1, R.PENDING: 1}
    assert not await stage.complete()
    assert (await stage.campaign()).status is S.FAILED


PASSING: dict[str, PlaceAnswer] = {
    "429": NotPlaced(reason="Too Many Requests", retry_after_seconds=None),
    "500": Unclear(reason="the carrier answered 500"),
    "503": Refused(failure=F.TRANSIENT, code=20503, message="Unavailable"),
}


@pytest.mark.parametrize("channel", [Channel.CALL, Channel.SMS])
@pytest.mark.parametrize("answer", list(PASSING.values()), ids=list(PASSING))
async def test_what_may_pass_never_fails_a_campaign(
    database: Database, answer: PlaceAnswer, channel: Channel
) -> None:
    stage = await set_stage(database, contacts=4, channel=channel)
    stage.carrier.answers = lambda _: answer
    for _ in range(6):
        await stage.dial(1)
        stage.clock.advance(minutes=1)
    assert (await stage.campaign()).status is S.RUNNING


class Killed(BaseException):
    """Stands for the death of the process: no handler catches it."""


@pytest.mark.parametrize("moment", ["before_record_commit", "after_record_commit"])
async def test_a_kill_around_the_failure_leaves_all_of_it_or_nothing(database: Database, moment: str) -> None:
    stage = await set_stage(database, contacts=1)
    stage.carrier.answers = lambda _: REFUSED
    answers = await stage.place(*await stage.reserve())

    def kill(point: str) -> None:
        if point == moment:
            raise Killed

    install(kill)
    with pytest.raises(Killed):
        await stage.record(*answers)
    install(None)

    happened = moment == "after_record_commit"
    assert ((await stage.campaign()).status is S.FAILED) is happened
    assert [new for _, new, _, _ in await history(stage)].count("failed") == happened
    await stage.record(*answers)  # The same answer again changes nothing, or makes up for it.
    assert [new for _, new, _, _ in await history(stage)].count("failed") == 1
    assert [(each.status, each.attempts_made) for each in await stage.recipients()] == [(R.PENDING, 0)]


async def test_a_report_after_the_campaign_is_over_ends_its_recipient(database: Database) -> None:
    stage = await set_stage(database, contacts=1, channel=Channel.SMS)
    (sent,) = await stage.dial()
    await stage.hear(sent.attempt_id, K.SENT)
    stage.clock.advance(minutes=11)
    assert await stage.complete()

    await stage.hear(sent.attempt_id, K.UNDELIVERED, failure=F.MISCONFIGURED, error_code=30034)
    (recipient,) = await stage.recipients()
    assert (recipient.status, recipient.last_disposition) == (R.FAILED, "undelivered")
    assert (await stage.campaign()).status is S.COMPLETED
    await nobody_is_lost(stage)


# --- no usable number ---


async def test_a_campaign_whose_last_number_is_gone_fails(database: Database) -> None:
    stage = await set_stage(database, contacts=2, numbers=2)
    async with database.transaction() as session:
        await session.execute(update(PhoneNumber).values(active=False))
    assert await stage.dial() == ()
    campaign = await stage.campaign()
    assert campaign.status is S.FAILED
    assert campaign.status_reason == (
        "No active number of ours is left that the campaign can call from. "
        "Activate one under Numbers, or choose another in the settings."
    )
    assert await stage.statuses() == {R.PENDING: 2}


@pytest.mark.parametrize(("until", "status"), [(None, S.FAILED), (timedelta(hours=1), S.QUEUED)])
async def test_a_number_flagged_for_good_is_lost_and_one_that_comes_back_is_waited_for(
    database: Database, until: timedelta | None, status: CampaignStatus
) -> None:
    stage = await set_stage(database, contacts=1)
    resting_until = None if until is None else stage.clock.now() + until
    async with database.transaction() as session:
        await session.execute(
            update(PhoneNumber).values(rest=NumberRest.FLAGGED, resting_until=resting_until)
        )
    assert await stage.dial() == ()
    assert (await stage.campaign()).status is status


# --- settings that cannot be read ---


@pytest.mark.parametrize(("column", "stored"), list(UNREADABLE.values()), ids=list(UNREADABLE))
async def test_unreadable_settings_fail_the_campaign_are_shown_and_can_be_mended(
    database: Database, column: str, stored: str
) -> None:
    stage = await set_stage(database, contacts=2)
    good = getattr(await stage.campaign(), column)
    await corrupt(stage, column, stored)
    assert await stage.dial() == ()
    campaign = await stage.campaign()
    assert campaign.status is S.FAILED
    assert campaign.status_reason.endswith("cannot be read. Set it anew.")
    assert await stage.statuses() == {R.PENDING: 2}

    with pytest.raises(Conflict, match="cannot go on yet"):
        await resume(stage)
    owner = principal(stage.organization)
    async with database.session() as session:
        assert (await get_campaign(session, principal=owner, campaign_ref=campaign.id)).status is S.FAILED
        await campaign_snapshot(
            session, organization_id=owner.organization_id, campaign_id=campaign.id, now=stage.clock.now()
        )
    with pytest.raises(FieldErrors, match="cannot be read"):
        await change(stage, description="Not a word of what cannot be read.")
    await change(stage, **{column: good or DEFAULTS_ASKED[column]})
    await resume(stage)
    assert len(await stage.dial()) == 2


DEFAULTS_ASKED: dict[str, Any] = {
    "allowed_days": [1, 2, 3],
    "breaker": {},
    "calling_windows": [],
    "fallback_values": {},
    "retry_delays_by_outcome": {},
}


async def test_who_has_seen_the_defaults_may_take_them(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    await corrupt(stage, "breaker", '{"window": "many"}')
    await stage.dial()
    await change(stage, as_shown=["breaker"], description="Mended.")
    await resume(stage)
    assert len(await stage.dial()) == 1


async def test_a_template_that_cannot_be_read_fails_the_campaign_and_skips_nobody(database: Database) -> None:
    broken = {"welcome_message_template": "{% if name is eq %}x{% endif %}"}
    stage = await set_stage(database, contacts=2, step=broken)
    assert await stage.dial() == ()
    campaign = await stage.campaign()
    assert campaign.status is S.FAILED
    assert campaign.status_reason.startswith("The welcome message cannot be read (")
    assert await stage.statuses() == {R.PENDING: 2}
    with pytest.raises(Conflict, match="cannot go on yet"):
        await resume(stage)

    async with database.transaction() as session:
        await session.execute(update(Step).values(welcome_message_template="Hi."))
    await resume(stage)
    assert len(await stage.dial()) == 2


async def test_a_call_ends_though_the_retry_settings_cannot_be_read_any_more(database: Database) -> None:
    stage = await set_stage(database, contacts=2)
    answered, unanswered = await stage.dial()
    await corrupt(stage, "retry_delays_by_outcome", '{"no_answer": ["soon"]}')
    await stage.hear(answered.attempt_id, K.ANSWERED, K.COMPLETED)
    await stage.hear(unanswered.attempt_id, K.RINGING, K.NO_ANSWER)
    assert await stage.statuses() == {R.COMPLETED: 1, R.PENDING: 1}


# --- resuming ---


async def test_a_mended_campaign_goes_on_and_its_old_refusals_count_no_more(database: Database) -> None:
    stage = await set_stage(database, contacts=8, channel=Channel.SMS, messages_per_second=100)
    (early,) = await stage.dial(1)
    await stage.hear(early.attempt_id, K.SENT)
    stage.carrier.answers = lambda _: REFUSED
    await stage.dial(7)
    with pytest.raises(Conflict, match=r"cannot go on yet\. The carrier refuses our account\."):
        await resume(stage, check=CarrierCheck(refuses="The carrier refuses our account."))
    assert (await stage.campaign()).status is S.FAILED

    stage.carrier.answers = lambda _: None
    stage.clock.advance(seconds=10)
    await resume(stage)
    campaign = await stage.campaign()
    assert (campaign.status, campaign.status_reason) == (S.RUNNING, "")
    # What the carrier says now of a text from before tells of what was wrong then.
    await stage.hear(early.attempt_id, K.UNDELIVERED, failure=F.MISCONFIGURED, error_code=30002)
    assert (await stage.campaign()).status is S.RUNNING
    assert len(await stage.dial()) == 8
    await nobody_is_lost(stage)


@pytest.mark.parametrize("mend", ["activate", "unrest"])
async def test_a_resume_needs_a_usable_number(database: Database, mend: str) -> None:
    stage = await set_stage(database, contacts=1)
    broken: dict[str, Any] = {"active": False} if mend == "activate" else {"rest": NumberRest.FLAGGED}
    async with database.transaction() as session:
        await session.execute(update(PhoneNumber).values(**broken))
    await stage.dial()
    with pytest.raises(Conflict, match="Activate it" if mend == "activate" else "Put it back to work"):
        await resume(stage)

    async with database.transaction() as session:
        other = await make_number(session, stage.organization, carrier_account_id=stage.account.id)
    await change(stage, phone_number_id=other.id)
    await resume(stage)
    (reservation,) = await stage.dial()
    assert reservation.from_ == other.number


async def test_a_paused_campaign_stays_paused_when_a_refusal_comes_in(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    stage.carrier.answers = lambda _: REFUSED
    answers = await stage.place(*await stage.reserve())
    await stage.change(status=S.PAUSED, status_reason="lunch")
    await stage.record(*answers)
    campaign = await stage.campaign()
    assert (campaign.status, campaign.status_reason) == (S.PAUSED, "lunch")
    assert await stage.statuses() == {R.PENDING: 1}


async def test_failed_campaigns_are_told_with_their_organization_and_reason(database: Database) -> None:
    stage = await set_stage(database, contacts=1)
    async with database.session() as session:
        assert await failed_campaigns(session) == []
    stage.carrier.answers = lambda _: REFUSED
    await stage.dial()
    async with database.session() as session:
        (failed,) = await failed_campaigns(session)
        told = await campaign_history(
            session, principal=principal(stage.organization), campaign_ref=stage.campaign_id
        )
    assert (failed.id, failed.organization, failed.reason) == (stage.campaign_id, "Acme Corp", WHY)
    assert (told[0].new, told[0].reason, told[0].actor) == ("failed", WHY, "system")

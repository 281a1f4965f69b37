"""A recurring campaign runs at each occurrence of its schedule, once, over its people, each run by itself."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import col

from app.domain.campaign import CampaignStatus, ScheduleType
from app.domain.contact_filter import Condition, ContactFilter, Op, as_json
from app.domain.events import EventKind
from app.domain.recipient import RecipientStatus
from app.domain.suppression import SuppressionScope
from app.models import Campaign, Contact, Recipient, Run, Segment, Step
from app.runtime.database import Database
from app.services.access.principal import Principal
from app.services.campaigns import run_filling
from app.services.campaigns.adding import add_contacts
from app.services.campaigns.brief import recipient_counts
from app.services.campaigns.call_log import list_attempts, list_recipients
from app.services.campaigns.eligibility import list_skipped
from app.services.campaigns.lifecycle import cancel_campaign, pause_campaign, resume_campaign, start_campaign
from app.services.campaigns.lists import list_campaigns
from app.services.campaigns.operations import update_campaign
from app.services.campaigns.preflight import preflight
from app.services.campaigns.progress import campaign_snapshot
from app.services.campaigns.recipients import remove_recipients, retry_recipients
from app.services.campaigns.run_filling import due_runs, fill_run
from app.services.campaigns.run_list import list_runs
from app.services.campaigns.scheduled_starts import launch_scheduled
from app.services.campaigns.views import RunView
from app.services.dialing.completion import finished_campaigns
from app.services.errors import Conflict, FieldErrors, NotFound
from app.services.numbers.carriers import CarrierIdentity
from app.services.segments.operations import SegmentInUse, delete_segment
from app.services.suppression.operations import suppress_contact
from tests.support.builders import (
    make_audience,
    make_campaign,
    make_contact,
    make_segment,
    principal,
    run_id_of,
)
from tests.support.stage import DialingStage, set_stage

S, R = CampaignStatus, RecipientStatus
WORKING_DAYS = {
    "frequency": "weekly",
    "interval": 1,
    "days_of_week": [1, 2, 3, 4, 5],
    "time": "09:00",
    "time_zone": "America/New_York",
}
"""The example of seed `000`, without its end date, which has passed."""


def in_new_york(day: int, hour: int = 9, minute: int = 0) -> datetime:
    """Return a time of March 2026 before the clocks change, in UTC. The 2nd is a Monday."""
    return datetime(2026, 3, day, hour + 5, minute, tzinfo=UTC)


@dataclass
class RecurringStage:
    """A recurring campaign on stage, and the worker's jobs by hand. It is Monday, 10:00 in New York."""

    stage: DialingStage

    @property
    def campaign_id(self) -> int:
        return self.stage.campaign_id

    @property
    def owner(self) -> Principal:
        return principal(self.stage.organization)

    def at(self, moment: datetime) -> None:
        """Set the clock."""
        self.stage.clock.at = moment

    async def do(self, operation: Callable[..., Any], **arguments: Any) -> Any:
        async with self.stage.database.transaction() as session:
            given = {"principal": self.owner, "campaign_ref": self.campaign_id, "now": self.stage.clock.now()}
            return await operation(session, **given | arguments)

    async def ask(self, query: Callable[..., Any], **arguments: Any) -> Any:
        async with self.stage.database.session() as session:
            given = {"principal": self.owner, "campaign_ref": self.campaign_id}
            return await query(session, **given | arguments)

    async def start(self) -> None:
        await self.do(start_campaign, carrier=self._carrier)

    async def change(self, **changes: Any) -> None:
        """Pause, change settings, and resume."""
        await self.do(pause_campaign)
        await self.do(update_campaign, changes=changes)
        await self.do(resume_campaign, carrier=self._carrier)

    @property
    def _carrier(self) -> CarrierIdentity:
        line = self.stage.account
        return CarrierIdentity(line.kind, line.account_sid, line.api_url, simulated=line.simulated)

    async def launch(self) -> list[int]:
        stage = self.stage
        return await launch_scheduled(
            stage.database, stage.carrier, carrier_account_id=stage.account.id, clock=stage.clock
        )

    async def fill(self) -> None:
        async with self.stage.database.session() as session:
            due = await due_runs(session, now=self.stage.clock.now())
        for run_id in due:
            await fill_run(self.stage.database, run_id=run_id, clock=self.stage.clock)

    async def add_a_batch(self) -> None:
        """Add the next people to the run that is due, as a worker that is killed then."""
        async with self.stage.database.transaction() as session:
            (run_id,) = await due_runs(session, now=self.stage.clock.now())
            await run_filling._add_batch(session, run_id, now=self.stage.clock.now())

    async def call_everybody(self, *heard: EventKind) -> int:
        """Dial all who wait, let each call end, and end the run; return how many calls were made."""
        dialed = await self.stage.dial()
        for each in dialed:
            await self.stage.hear(each.attempt_id, *(heard or (EventKind.ANSWERED, EventKind.COMPLETED)))
        await self.stage.complete()
        return len(dialed)

    async def run_at(self, moment: datetime) -> int:
        """Let a whole run take place at that time; return how many calls were made."""
        self.at(moment)
        await self.fill()
        await self.launch()
        await self.fill()
        return await self.call_everybody()

    async def opts_out(self, who: Recipient) -> None:
        """Let a person ask not to be contacted again."""
        async with self.stage.database.transaction() as session:
            await suppress_contact(
                session,
                principal=self.owner,
                number=(await session.get_one(Contact, who.contact_id)).number,
                scope=SuppressionScope.ALL,
                reason="asked",
                now=self.stage.clock.now(),
            )

    async def campaign(self) -> Campaign:
        return await self.stage.campaign()

    async def runs(self) -> list[RunView]:
        """Return the runs, the first first."""
        return list(reversed((await self.ask(list_runs, page_size=100)).items))

    async def occurrences(self) -> list[datetime | None]:
        return [run.occurrence_at for run in await self.runs()]

    async def people(self, number: int) -> list[Recipient]:
        async with self.stage.database.session() as session:
            rows = await session.scalars(
                select(Recipient)
                .join(Run, col(Run.id) == col(Recipient.run_id))
                .where(col(Recipient.campaign_id) == self.campaign_id, col(Run.number) == number)
                .order_by(col(Recipient.position))
            )
            return list(rows)


async def recurring(
    database: Database, *, people: int = 3, config: dict[str, Any] | None = None, **campaign: Any
) -> RecurringStage:
    return RecurringStage(
        await set_stage(
            database,
            contacts=people,
            status=S.DRAFT,
            schedule_type=ScheduleType.RECURRING,
            recurring_config=WORKING_DAYS | (config or {}),
            **campaign,
        )
    )


async def started(database: Database, **values: Any) -> RecurringStage:
    show = await recurring(database, **values)
    await show.start()
    return show


async def over_a_segment(database: Database, *, people: int) -> RecurringStage:
    """Return a started campaign that calls those with the tag `due`, who are so many."""
    show = await recurring(database, people=0)
    tagged = as_json(ContactFilter((Condition("tags", Op.ANY_OF, ("due",)),)))
    async with database.transaction() as session:
        segment = await make_segment(session, show.stage.organization, rule=tagged)
    await _due(show, people)
    schedule = WORKING_DAYS | {"people": "segment", "segment_id": segment.id}
    await show.do(update_campaign, changes={"recurring_config": schedule})
    await show.start()
    return show


async def _due(show: RecurringStage, people: int) -> None:
    async with show.stage.database.transaction() as session:
        for _ in range(people):
            await make_contact(session, show.stage.organization, tags=["due"])


# The example.


async def test_the_printed_example_runs_three_occurrences_each_with_its_own_statistics(
    database: Database,
) -> None:
    show = await started(database)
    assert await show.launch() == []
    assert (await show.campaign()).status is S.SCHEDULED
    calls = [await show.run_at(in_new_york(day)) for day in (3, 4, 5)]
    assert calls == [3, 3, 3]
    runs = await show.runs()
    assert [run.number for run in runs] == [1, 2, 3, 4]
    assert [run.occurrence_at for run in runs] == [in_new_york(day) for day in (3, 4, 5, 6)]
    assert [run.counts[R.COMPLETED] for run in runs] == [3, 3, 3, 0]
    assert [run.started_at for run in runs] == [in_new_york(3), in_new_york(4), in_new_york(5), None]
    assert all(run.ended_at for run in runs[:3])
    campaign = await show.campaign()
    assert (campaign.status, campaign.scheduled_at) == (S.SCHEDULED, in_new_york(6))
    assert len(await show.stage.attempts()) == 9


async def test_over_a_weekend_it_waits_for_monday(database: Database) -> None:
    show = await started(database)
    for day in (3, 4, 5, 6):
        await show.run_at(in_new_york(day))
    # On the 8th the clocks are put forward: 09:00 is an hour earlier in UTC.
    assert (await show.campaign()).scheduled_at == in_new_york(9) - timedelta(hours=1)


async def test_the_end_date_is_inclusive_and_then_the_campaign_is_completed(database: Database) -> None:
    show = await started(database, config={"end_date": "2026-03-04"})
    await show.run_at(in_new_york(3))
    assert (await show.campaign()).status is S.SCHEDULED
    await show.run_at(in_new_york(4))
    campaign = await show.campaign()
    assert (campaign.status, campaign.ended_at) == (S.COMPLETED, in_new_york(4))
    assert [run.ended_at for run in await show.runs()] == [in_new_york(3), in_new_york(4)]


async def test_after_its_count_of_occurrences_the_campaign_is_completed(database: Database) -> None:
    show = await started(database, config={"count": 2})
    for day in (3, 4):
        await show.run_at(in_new_york(day))
    assert (await show.campaign()).status is S.COMPLETED
    assert len(await show.runs()) == 2


async def test_the_start_sets_the_date_from_which_the_interval_counts(database: Database) -> None:
    show = await started(database, config={"interval": 2, "days_of_week": [1]})
    assert (await show.campaign()).recurring_config["start_date"] == "2026-03-03"
    assert await show.occurrences() == [in_new_york(9) - timedelta(hours=1)]
    await show.run_at(in_new_york(9))
    assert (await show.campaign()).scheduled_at == in_new_york(23) - timedelta(hours=1)


async def test_a_run_does_not_start_before_its_time(database: Database) -> None:
    show = await started(database)
    show.at(in_new_york(3, 8, 59))
    assert await show.launch() == []
    show.at(in_new_york(3))
    assert await show.launch() == [show.campaign_id]


# People.


async def test_each_run_calls_the_people_of_the_run_before_with_their_variables(database: Database) -> None:
    show = await started(database)
    async with database.transaction() as session:
        for each in await session.scalars(select(Recipient)):
            each.variables = {"name": f"person {each.position}"}
    for day in (3, 4):
        await show.run_at(in_new_york(day))
    first, second = await show.people(1), await show.people(2)
    assert [each.contact_id for each in first] == [each.contact_id for each in second]
    assert [each.position for each in first] == [each.position for each in second]
    assert [each.variables for each in second] == [{"name": f"person {number}"} for number in (1, 2, 3)]
    assert {each.attempts_made for each in second} == {1}


async def test_who_was_removed_between_runs_is_not_called_again(database: Database) -> None:
    show = await started(database)
    await show.run_at(in_new_york(3))
    await show.fill()
    await show.do(pause_campaign)
    gone = (await show.people(2))[0]
    removed = await show.do(remove_recipients, recipient_ids=[gone.id])
    await show.do(resume_campaign, carrier=show._carrier)
    assert removed.done == 1
    assert [await show.run_at(in_new_york(day)) for day in (4, 5)] == [2, 2]


async def test_people_added_between_runs_are_called_in_the_next_run_and_from_then_on(
    database: Database,
) -> None:
    show = await started(database)
    await show.run_at(in_new_york(3))
    async with database.transaction() as session:
        new = await make_contact(session, show.stage.organization)
    await show.do(pause_campaign)
    await show.do(add_contacts, contact_ids=[new.id])
    await show.do(resume_campaign, carrier=show._carrier)
    async with database.transaction() as session:
        for each in await session.scalars(select(Recipient).where(col(Recipient.contact_id) == new.id)):
            each.place_id = new.place_id
    assert [await show.run_at(in_new_york(day)) for day in (4, 5)] == [4, 4]


async def test_who_opted_out_is_skipped_in_every_later_run(database: Database) -> None:
    show = await started(database)
    await show.run_at(in_new_york(3))
    await show.opts_out((await show.people(1))[0])
    assert [await show.run_at(in_new_york(day)) for day in (4, 5)] == [2, 2]
    for number in (2, 3):
        assert Counter(each.status for each in await show.people(number)) == {R.COMPLETED: 2, R.SKIPPED: 1}


async def test_who_opts_out_while_waiting_for_the_next_run_is_skipped_in_it(database: Database) -> None:
    show = await started(database)
    await show.run_at(in_new_york(3))
    await show.fill()
    await show.opts_out((await show.people(2))[0])
    assert await show.run_at(in_new_york(4)) == 2


async def test_a_run_over_a_segment_is_filled_when_it_is_due_with_those_who_match_then(
    database: Database,
) -> None:
    show, segment = await _over_a_segment(database)
    assert [run.counts[R.PENDING] for run in await show.runs()] == [0]
    async with database.transaction() as session:
        await make_contact(session, show.stage.organization, tags=["due"])
    show.at(in_new_york(3))
    await show.fill()
    assert await show.people(1) == []
    await show.launch()
    assert not await show.stage.complete()
    await show.fill()
    assert len(await show.people(1)) == 3
    async with database.transaction() as session:
        for contact in await session.scalars(select(Contact)):
            contact.tags = []
    for each in await show.people(1):
        await show.do(_end_person, recipient_id=each.id)
    assert await show.stage.complete()
    await show.run_at(in_new_york(4))
    assert [len(await show.people(number)) for number in (1, 2)] == [3, 0]
    assert (await show.campaign()).scheduled_at == in_new_york(5)
    assert segment.id


async def _end_person(session: Any, *, recipient_id: int, **_: Any) -> None:
    (await session.get_one(Recipient, recipient_id)).status = R.SKIPPED


async def _over_a_segment(database: Database) -> tuple[RecurringStage, Segment]:
    show = await recurring(database, people=0)
    async with database.transaction() as session:
        now = show.stage.clock.now()
        due = ContactFilter((Condition("tags", Op.ANY_OF, ("due",)),))
        segment = Segment(
            organization_id=show.stage.organization.id,
            name="Due",
            rule=as_json(due),
            created_at=now,
            updated_at=now,
        )
        session.add(segment)
        for _ in range(2):
            await make_contact(session, show.stage.organization, tags=["due"])
        await make_contact(session, show.stage.organization)
    config = WORKING_DAYS | {"people": "segment", "segment_id": str(segment.public_id)}
    await show.do(update_campaign, changes={"recurring_config": config})
    await show.start()
    return show, segment


async def test_a_segment_of_a_schedule_cannot_be_deleted(database: Database) -> None:
    show, segment = await _over_a_segment(database)
    with pytest.raises(SegmentInUse):
        async with database.transaction() as session:
            await delete_segment(session, principal=show.owner, segment_ref=segment.id)
    await show.do(cancel_campaign)
    async with database.transaction() as session:
        await delete_segment(session, principal=show.owner, segment_ref=segment.id)


async def test_a_run_is_filled_in_batches_and_not_ended_before(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_filling, "BATCH", 2)
    show = await started(database, people=5)
    await show.run_at(in_new_york(3))
    show.at(in_new_york(4))
    await show.launch()
    assert not await show.stage.complete()
    async with database.session() as session:
        assert await finished_campaigns(session) == []
    await show.fill()
    assert await show.call_everybody() == 5


async def test_a_standing_rule_does_not_keep_a_run_open_and_adds_to_the_next(database: Database) -> None:
    show = await started(database)
    async with database.transaction() as session:
        await make_audience(session, await session.get_one(Campaign, show.campaign_id))
    await show.run_at(in_new_york(3))
    assert len(await show.runs()) == 2


# Missed occurrences.


@pytest.mark.parametrize(("missed", "expected"), [("catch_up", 6), ("skip", 9)])
async def test_what_was_missed_while_the_server_was_down_is_caught_up_once_or_skipped(
    database: Database, missed: str, expected: int
) -> None:
    show = await started(database, config={"missed": missed})
    down_until = in_new_york(6, 12)
    calls = await show.run_at(down_until)
    assert calls == (3 if missed == "catch_up" else 0)
    wanted = in_new_york(expected) - (timedelta(hours=1) if expected > 8 else timedelta(0))
    assert (await show.occurrences())[0] == wanted
    monday = in_new_york(9) - timedelta(hours=1)
    assert (await show.campaign()).scheduled_at == monday
    assert await show.run_at(monday) == 3


async def test_a_start_within_five_minutes_is_not_late(database: Database) -> None:
    show = await started(database, config={"missed": "skip"})
    assert await show.run_at(in_new_york(3, 9, 5)) == 3
    assert (await show.occurrences())[0] == in_new_york(3)


async def test_the_last_time_that_was_missed_and_is_skipped_completes_the_campaign(
    database: Database,
) -> None:
    show = await started(database, config={"missed": "skip", "end_date": "2026-03-03"})
    assert await show.run_at(in_new_york(5)) == 0
    campaign = await show.campaign()
    assert (campaign.status, campaign.started_at) == (S.COMPLETED, None)
    assert {each.status for each in await show.people(1)} == {R.CANCELLED}
    assert [(run.started_at, run.ended_at) for run in await show.runs()] == [(None, in_new_york(5))]


async def test_the_last_time_that_was_missed_is_caught_up(database: Database) -> None:
    show = await started(database, config={"end_date": "2026-03-03"})
    assert await show.run_at(in_new_york(5)) == 3
    assert (await show.campaign()).status is S.COMPLETED


@pytest.mark.parametrize(("missed", "following"), [("catch_up", 5), ("skip", 6)])
async def test_a_run_that_goes_on_past_the_next_times_is_followed_by_one_of_them_or_by_none(
    database: Database, missed: str, following: int
) -> None:
    show = await started(database, config={"missed": missed})
    show.at(in_new_york(3))
    await show.launch()
    show.at(in_new_york(5, 11))
    assert await show.call_everybody() == 3
    assert await show.occurrences() == [in_new_york(3), in_new_york(following)]
    await show.fill()
    assert bool(await show.launch()) is (missed == "catch_up")


async def test_a_pause_over_an_occurrence_is_as_a_server_that_was_down(database: Database) -> None:
    show = await started(database)
    await show.do(pause_campaign)
    show.at(in_new_york(4, 15))
    await show.do(resume_campaign, carrier=show._carrier)
    assert (await show.campaign()).status is S.SCHEDULED
    assert await show.launch() == [show.campaign_id]
    assert await show.occurrences() == [in_new_york(4)]


async def test_a_start_by_hand_after_the_days_time_waits_for_the_next_day(database: Database) -> None:
    show = await recurring(database)
    show.at(in_new_york(2, 9, 1))
    await show.start()
    assert await show.occurrences() == [in_new_york(3)]


# Changes between runs.


async def test_a_changed_time_moves_the_run_to_come(database: Database) -> None:
    show = await started(database)
    await show.run_at(in_new_york(3))
    await show.change(recurring_config=WORKING_DAYS | {"time": "15:30"})
    assert await show.occurrences() == [in_new_york(3), in_new_york(3, 15, 30)]
    assert await show.run_at(in_new_york(3, 15, 30)) == 3


async def test_a_change_during_a_run_holds_from_the_next(database: Database) -> None:
    show = await started(database)
    show.at(in_new_york(3))
    await show.launch()
    await show.change(recurring_config=WORKING_DAYS | {"days_of_week": [5]})
    assert await show.occurrences() == [in_new_york(3)]
    await show.call_everybody()
    assert await show.occurrences() == [in_new_york(3), in_new_york(6)]


async def test_settings_changed_between_runs_hold_in_the_next(database: Database) -> None:
    show = await started(database)
    await show.run_at(in_new_york(3))
    await show.change(agenda_template="A new agenda.")
    await show.run_at(in_new_york(4))
    said = [each.rendered["agenda"] for each in await show.stage.attempts()]
    assert said == ["About your appointment."] * 3 + ["A new agenda."] * 3


async def test_other_people_may_be_chosen_for_the_run_to_come(database: Database) -> None:
    show = await started(database)
    await show.run_at(in_new_york(3))
    await show.fill()
    async with database.transaction() as session:
        now = show.stage.clock.now()
        rule = as_json(ContactFilter((Condition("tags", Op.ANY_OF, ("due",)),)))
        segment = Segment(
            organization_id=show.stage.organization.id, name="Due", rule=rule, created_at=now, updated_at=now
        )
        session.add(segment)
        await session.flush()
        await make_contact(session, show.stage.organization, tags=["due"])
    await show.change(recurring_config=WORKING_DAYS | {"people": "segment", "segment_id": segment.id})
    assert await show.people(2) == []
    show.at(in_new_york(4))
    await show.launch()
    await show.fill()
    assert len(await show.people(2)) == 1


async def test_a_campaign_that_no_longer_recurs_completes_after_its_run(database: Database) -> None:
    show = await started(database)
    show.at(in_new_york(3))
    await show.launch()
    await show.change(schedule_type="immediate")
    await show.call_everybody()
    assert (await show.campaign()).status is S.COMPLETED


async def test_a_campaign_that_no_longer_recurs_between_runs_calls_its_people_once_more(
    database: Database,
) -> None:
    show = await started(database)
    await show.run_at(in_new_york(3))
    await show.change(schedule_type="immediate")
    await show.fill()
    assert await show.call_everybody() == 3
    assert (await show.campaign()).status is S.COMPLETED


async def test_who_will_be_skipped_is_listed_of_the_run_to_come(database: Database) -> None:
    show = await started(database)
    await show.run_at(in_new_york(3))
    await show.opts_out((await show.people(1))[0])
    await show.fill()
    ahead = await show.ask(list_skipped, now=show.stage.clock.now())
    listed = await show.ask(list_recipients, recipient_ids=list(ahead))
    assert [each.status for each in listed.items] == [R.SKIPPED]


async def test_a_campaign_over_a_segment_that_no_longer_recurs_calls_it_once_more(database: Database) -> None:
    show = await over_a_segment(database, people=2)
    await show.run_at(in_new_york(3))
    later = in_new_york(6)
    await show.change(schedule_type="scheduled", scheduled_at=later.isoformat())
    await _due(show, 1)
    assert await show.run_at(later) == 3
    assert (await show.campaign()).status is S.COMPLETED


async def test_without_its_schedule_a_run_to_come_has_those_who_were_added_by_hand(
    database: Database,
) -> None:
    show = await over_a_segment(database, people=2)
    await show.run_at(in_new_york(3))
    await show.do(pause_campaign)
    await show.do(update_campaign, changes={"schedule_type": "immediate", "recurring_config": None})
    async with database.transaction() as session:
        somebody = await make_contact(session, show.stage.organization)
    await show.do(add_contacts, contact_ids=[somebody.id])
    await show.do(resume_campaign, carrier=show._carrier)
    assert await show.call_everybody() == 1
    assert (await show.campaign()).status is S.COMPLETED


async def test_while_people_are_added_to_a_run_they_cannot_be_chosen_another_way(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_filling, "BATCH", 2)
    show = await over_a_segment(database, people=5)
    show.at(in_new_york(3))
    await show.launch()
    await show.add_a_batch()
    await show.do(pause_campaign)
    for changes, named in (
        ({"recurring_config": WORKING_DAYS}, "recurring_config.people"),
        ({"schedule_type": "immediate", "recurring_config": None}, "recurring_config"),
    ):
        with pytest.raises(FieldErrors, match="still being added") as refused:
            await show.do(update_campaign, changes=changes)
        assert refused.value.errors.keys() == {named}
    await show.fill()
    assert len(await show.people(1)) == 5
    await show.do(update_campaign, changes={"recurring_config": WORKING_DAYS})


async def test_a_hundred_runs_that_wait_for_their_time_do_not_keep_another_from_being_filled(
    database: Database,
) -> None:
    show = await over_a_segment(database, people=1)
    campaign = await show.campaign()
    async with database.transaction() as session:
        for _ in range(100):
            paused = await make_campaign(
                session,
                show.stage.organization,
                status=S.PAUSED,
                schedule_type=ScheduleType.RECURRING,
                recurring_config=campaign.recurring_config,
            )
            run = await session.get_one(Run, await run_id_of(session, paused))
            run.occurrence_at = in_new_york(1)
    show.at(in_new_york(3))
    await show.launch()
    await show.fill()
    assert len(await show.people(1)) == 1


async def test_a_run_that_could_not_start_is_tried_again_after_it_was_mended(database: Database) -> None:
    show = await started(database)
    async with database.transaction() as session:
        for each in await session.scalars(select(Step)):
            each.welcome_message_template = "Hi {{nobody_has_this}}."
    show.at(in_new_york(3))
    assert await show.launch() == []
    assert (await show.campaign()).status is S.FAILED
    await show.do(update_campaign, changes={"welcome_message_template": "Hi."})
    await show.do(resume_campaign, carrier=show._carrier)
    assert await show.launch() == [show.campaign_id]
    assert await show.call_everybody() == 3


async def test_cancelling_between_runs_ends_the_run_to_come(database: Database) -> None:
    show = await started(database)
    await show.run_at(in_new_york(3))
    await show.fill()
    await show.do(cancel_campaign)
    assert {each.status for each in await show.people(1)} == {R.COMPLETED}
    assert {each.status for each in await show.people(2)} == {R.CANCELLED}
    assert await show.run_at(in_new_york(4)) == 0


# Statistics by run.


async def test_what_is_shown_is_the_newest_run_that_has_started(database: Database) -> None:
    show = await started(database)
    await show.run_at(in_new_york(3))
    await show.fill()
    shown = await _snapshot(show)
    assert (shown.run, shown.runs, shown.counts[R.COMPLETED], shown.total) == (1, 2, 3, 3)
    assert (shown.next_run_at, shown.next_run_zone) == (in_new_york(4), "America/New_York")
    show.at(in_new_york(4))
    await show.launch()
    shown = await _snapshot(show)
    assert (shown.run, shown.counts[R.PENDING], shown.calls_made, shown.next_run_at) == (2, 3, 0, None)
    assert (await _snapshot(show, run=1)).calls_made == 3
    async with database.session() as session:
        assert (await recipient_counts(session, show.campaign_id))[R.PENDING] == 3
        listed = await list_campaigns(session, principal=show.owner, sort="progress")
    assert [(row.counts[R.PENDING], row.calls_made) for row in listed.items] == [(3, 0)]


async def test_people_and_calls_are_listed_by_run(database: Database) -> None:
    show = await started(database)
    for day in (3, 4):
        await show.run_at(in_new_york(day))
    first, newest = await show.ask(list_recipients, run=1), await show.ask(list_recipients)
    assert (first.total, newest.total) == (3, 3)
    assert {each.id for each in first.items}.isdisjoint(each.id for each in newest.items)
    assert (await show.ask(list_attempts)).total == 3
    assert (await show.ask(list_attempts, run=3)).total == 0
    for query in (list_recipients, list_attempts):
        with pytest.raises(NotFound):
            await show.ask(query, run=9)


async def _snapshot(show: RecurringStage, run: int | None = None) -> Any:
    async with show.stage.database.session() as session:
        return await campaign_snapshot(
            session,
            organization_id=show.stage.organization.id,
            campaign_id=show.campaign_id,
            now=show.stage.clock.now(),
            run=run,
        )


async def test_people_of_an_ended_run_are_not_tried_again_in_it(database: Database) -> None:
    show = await started(database)
    show.at(in_new_york(3))
    await show.launch()
    await show.stage.change(retry_on=[])
    await show.call_everybody(EventKind.RINGING, EventKind.NO_ANSWER)
    ended = await show.ask(list_recipients, run=1)
    assert {each.status for each in ended.items} == {R.NO_ANSWER}
    assert {each.actions for each in ended.items} == {frozenset()}
    for meant in ({"recipient_ids": [ended.items[0].id]}, {"everyone": True, "run": 1}):
        with pytest.raises(Conflict):
            await show.do(retry_recipients, **{"recipient_ids": None} | meant)
    assert {each.status for each in await show.people(1)} == {R.NO_ANSWER}


async def test_a_pilot_and_a_ramp_count_the_people_of_their_run(database: Database) -> None:
    show = await started(database, people=4, pilot_size=2)
    show.at(in_new_york(3))
    await show.launch()
    assert len(await show.stage.dial()) == 2
    for each in await show.stage.attempts():
        await show.stage.hear(each.id, EventKind.ANSWERED, EventKind.COMPLETED)
    assert await show.stage.dial() == ()
    assert (await show.campaign()).status is S.PAUSED
    await show.do(resume_campaign, carrier=show._carrier)
    assert await show.call_everybody() == 2
    assert await show.run_at(in_new_york(4)) == 4


async def test_the_breaker_does_not_judge_a_run_by_the_one_before(database: Database) -> None:
    show = await started(database, people=6, breaker={"window": 10, "minimum": 5, "failure_rate": 50.0})
    show.at(in_new_york(3))
    await show.stage.change(retry_on=[])
    await show.launch()
    await show.call_everybody(EventKind.FAILED)
    assert (await show.campaign()).status is S.SCHEDULED
    assert await show.run_at(in_new_york(4)) == 6


# What is said before a start.


async def test_a_schedule_that_is_over_or_that_is_missing_is_named_before_the_start(
    database: Database,
) -> None:
    show = await recurring(database, config={"end_date": "2026-03-01"})
    with pytest.raises(FieldErrors) as refused:
        await show.start()
    assert refused.value.errors.keys() == {"recurring_config.end_date"}
    await show.stage.change(recurring_config={})
    with pytest.raises(FieldErrors) as refused:
        await show.start()
    assert refused.value.errors.keys() == {"recurring_config"}


async def test_an_end_date_in_the_past_is_refused_at_its_field(database: Database) -> None:
    show = await recurring(database)
    with pytest.raises(FieldErrors) as refused:
        await show.do(
            update_campaign, changes={"recurring_config": WORKING_DAYS | {"end_date": "2024-12-31"}}
        )
    assert refused.value.errors == {
        "recurring_config.end_date": "This date has passed. Choose one in the future, or none."
    }


async def test_times_that_are_all_outside_the_calling_hours_are_named_at_review(database: Database) -> None:
    show = await recurring(database, allowed_start=time(10), allowed_end=time(17))
    async with database.session() as session:
        found = await preflight(
            session, principal=show.owner, campaign_ref=show.campaign_id, now=show.stage.clock.now()
        )
    assert found.errors.keys() == {"recurring_config.time"}
    await show.do(update_campaign, changes={"recurring_config": WORKING_DAYS | {"time": "10:00"}})
    await show.start()


async def test_a_segment_of_another_organization_is_not_found(database: Database) -> None:
    show, other = await recurring(database), await recurring(database)
    _, segment = await _over_a_segment(database)
    config = WORKING_DAYS | {"people": "segment", "segment_id": segment.id}
    for each in (show, other):
        with pytest.raises(FieldErrors) as refused:
            await each.do(update_campaign, changes={"recurring_config": config})
        assert refused.value.errors.keys() == {"recurring_config.segment_id"}

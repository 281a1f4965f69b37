"""What the campaign list and a campaign's tabs show and do, whoever asks."""

from decimal import Decimal
from uuid import UUID

import pytest
from reflex.state import State
from sqlmodel import col, select

from app.domain.attempt import AttemptStatus, Disposition
from app.domain.campaign import CampaignStatus
from app.domain.recipient import RecipientStatus
from app.domain.rights import Role
from app.domain.templates import Missing
from app.models import Attempt, Campaign, Organization
from app.services.campaigns.eligibility import SKIPPED_AHEAD
from app.services.campaigns.views import EventRow
from app.services.dialing.settle.hang_up import note_second_calls
from app.web.pages.campaign.actions_state import CampaignActionsState
from app.web.pages.campaign.calls.presenter import event_lines
from app.web.pages.campaign.calls.state import CallLogState
from app.web.pages.campaign.contacts.adding_state import AddContactsState
from app.web.pages.campaign.contacts.person_state import PersonState
from app.web.pages.campaign.contacts.selection_state import SelectionState
from app.web.pages.campaign.contacts.state import CampaignContactsState
from app.web.pages.campaign.overview.state import OverviewState
from app.web.pages.campaign.questions_state import CampaignQuestionState
from app.web.pages.campaign.settings.state import CampaignSettingsState
from app.web.pages.campaign.state import CampaignState
from app.web.pages.campaigns.state import CampaignsState
from app.web.pages.campaigns.stop_state import StopSwitchState
from app.web.pages.wizard.basics.state import BasicsState
from app.web.pages.wizard.state import WizardState
from app.web.session import SessionState
from tests.services.campaign_world import CampaignWorld, build_world
from tests.support.builders import NOON, make_carrier_account
from tests.web.browser import Browser, signed_in
from tests.web.conftest import Driver
from tests.web.seams import AUTH_TOKEN, SECRET


async def open_campaign(
    tab: Driver, world: CampaignWorld, campaign_id: int, tail: str = "", *, role: Role = Role.OWNER
) -> Browser:
    """Open a page of a campaign as a member with that role."""
    return await signed_in(tab, world.organization, f"/campaigns/{campaign_id}{tail}", role=role)


async def test_the_list_shows_each_campaign_with_its_progress(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign(people=3, status=CampaignStatus.RUNNING)
    await world.recipient(campaign_id, RecipientStatus.COMPLETED, attempts_made=1)
    browser = await signed_in(tab, world.organization, "/campaigns")
    await browser.send(CampaignsState.load())
    state = await tab.state(CampaignsState)
    [item] = state.rows
    assert (item.name, item.status, item.agent) == ("March reminders", "running", "Ava")
    assert (item.progress.text, item.progress.percent) == ("1 of 4 processed", 25)
    assert (item.reached, item.attempts) == ("1 of 4 reached", "No calls yet")
    assert (item.can_pause, item.can_start, item.can_delete) == (True, False, False)
    assert (state.cards.total, state.cards.running) == ("1", "1")


async def test_a_search_that_finds_nothing_says_so_and_can_be_lifted(
    world: CampaignWorld, tab: Driver
) -> None:
    await world.campaign()
    browser = await signed_in(tab, world.organization, "/campaigns")
    await browser.send(CampaignsState.find("no such campaign"))
    state = await tab.state(CampaignsState)
    assert (state.rows, state.is_filtered, state.has_campaigns) == ([], True, True)
    await browser.send(CampaignsState.clear())
    assert len((await tab.state(CampaignsState)).rows) == 1


async def test_a_reload_finds_the_same_rows_by_the_address(world: CampaignWorld, tab: Driver) -> None:
    await world.campaign()
    await world.campaign(status=CampaignStatus.PAUSED)
    browser = await signed_in(tab, world.organization, "/campaigns?status=paused&sort=nonsense&page=-3")
    await browser.send(CampaignsState.load())
    state = await tab.state(CampaignsState)
    assert [item.status for item in state.rows] == ["paused"]
    assert (state.query.sort, state.query.page) == ("created", 1)


async def test_pause_moves_the_status(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign(people=1, status=CampaignStatus.RUNNING)
    browser = await open_campaign(tab, world, campaign_id)
    await browser.send(CampaignActionsState.pause(campaign_id))
    assert await world.status(campaign_id) is CampaignStatus.PAUSED


async def test_a_viewer_cannot_pause(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign(people=1, status=CampaignStatus.RUNNING)
    browser = await open_campaign(tab, world, campaign_id, role=Role.VIEWER)
    deltas = await browser.send(CampaignActionsState.pause(campaign_id))
    assert await world.status(campaign_id) is CampaignStatus.RUNNING
    assert tab.errors == []
    assert "paused" not in str(deltas)


async def test_an_operator_runs_campaigns_but_cannot_cancel_them(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign(people=1, status=CampaignStatus.RUNNING)
    browser = await open_campaign(tab, world, campaign_id, role=Role.OPERATOR)
    await browser.send(CampaignQuestionState.ask("cancel", campaign_id))
    await browser.send(CampaignQuestionState.cancel())
    assert await world.status(campaign_id) is CampaignStatus.RUNNING


async def test_a_start_that_is_refused_names_what_is_missing(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign()
    browser = await open_campaign(tab, world, campaign_id)
    await browser.send(CampaignActionsState.ask_start(campaign_id))
    assert (await tab.state(CampaignActionsState)).question.title == ""
    assert "contacts" in (await tab.state(CampaignActionsState)).errors
    assert await world.status(campaign_id) is CampaignStatus.DRAFT


async def test_a_start_queues_the_campaign(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign(people=1)
    browser = await open_campaign(tab, world, campaign_id)
    await browser.send(CampaignActionsState.start(campaign_id))
    assert (await tab.state(CampaignActionsState)).errors == {}
    assert await world.status(campaign_id) is CampaignStatus.QUEUED


async def test_a_start_is_asked_about_first_with_how_many_are_really_called(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id = await world.campaign(people=2)
    browser = await open_campaign(tab, world, campaign_id)
    await browser.send(CampaignActionsState.ask_start(campaign_id))
    question = (await tab.state(CampaignActionsState)).question
    assert question.title == "Start “March reminders”?"
    assert "nobody is really called. 2 people will be simulated." in question.sentence
    assert await world.status(campaign_id) is CampaignStatus.DRAFT
    await browser.send(CampaignActionsState.start(campaign_id))
    assert (await tab.state(CampaignActionsState)).question.title == ""
    assert await world.status(campaign_id) is CampaignStatus.QUEUED


async def test_a_start_says_who_will_be_skipped_and_leads_to_them(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign(
        missing=Missing.SKIP, step={"welcome_message_template": "Hi {{name}}, see you on {{day}}."}
    )
    skipped = [await world.recipient(campaign_id) for _ in range(2)]
    skipped.append(await world.recipient(campaign_id, RecipientStatus.SKIPPED, blocked_by="suppression"))
    await world.recipient(campaign_id, variables={"day": "Monday"})
    browser = await open_campaign(tab, world, campaign_id)
    await browser.send(CampaignActionsState.ask_start(campaign_id))
    question = (await tab.state(CampaignActionsState)).question
    assert "1 of 4 people will be simulated." in question.sentence
    assert question.skipped == "3 are skipped: 2 without day, 1 on the do-not-contact list."

    browser = await open_campaign(tab, world, campaign_id, f"/contacts?status={SKIPPED_AHEAD}")
    await browser.send(CampaignContactsState.load())
    listed = await tab.state(CampaignContactsState)
    assert [one.id for one in listed.rows] == skipped
    assert listed.rows[0].why == "This contact has no value for {{day}}."
    assert (listed.total, listed.is_filtered) == (3, True)

    await browser.send(SelectionState.tick_all())
    await browser.send(SelectionState.ask("remove", 0))
    await browser.send(SelectionState.confirm())
    assert await world.people(campaign_id) == {RecipientStatus.PENDING: 1}


async def test_one_contact_is_tried_again_in_the_singular(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign(status=CampaignStatus.COMPLETED)
    await world.recipient(campaign_id, RecipientStatus.BUSY, attempts_made=1)
    browser = await open_campaign(tab, world, campaign_id)
    await browser.send(CampaignQuestionState.ask("retry", campaign_id))
    assert (await tab.state(CampaignQuestionState)).retry_label == "Retry 1 contact"
    await browser.send(CampaignQuestionState.tick("busy"))
    assert (await tab.state(CampaignQuestionState)).retry_label == "Retry 0 contacts"


async def test_cancelling_says_what_becomes_of_calls_in_progress(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign(people=2, status=CampaignStatus.RUNNING)
    called = await world.recipient(campaign_id, RecipientStatus.IN_PROGRESS)
    attempt = await world.attempt(called, AttemptStatus.IN_PROGRESS)
    browser = await open_campaign(tab, world, campaign_id)
    await browser.send(CampaignQuestionState.ask("cancel", campaign_id))
    sentence = (await tab.state(CampaignQuestionState)).sentence
    assert "2 contacts who wait will not be contacted" in sentence
    assert "1 call or text in progress will go on to the end" in sentence
    await browser.send(CampaignQuestionState.cancel())
    assert await world.status(campaign_id) is CampaignStatus.CANCELLED
    assert (await hang_up_of(world, attempt.id)) == ""


async def test_cancelling_hangs_up_when_that_is_ticked(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign(people=1, status=CampaignStatus.RUNNING)
    called = await world.recipient(campaign_id, RecipientStatus.IN_PROGRESS)
    attempt = await world.attempt(called, AttemptStatus.IN_PROGRESS)
    browser = await open_campaign(tab, world, campaign_id)
    await browser.send(CampaignQuestionState.ask("cancel", campaign_id))
    question = await tab.state(CampaignQuestionState)
    assert (question.calls, question.hang_up) == ("1 call", False)
    await browser.send(CampaignQuestionState.tick_hang_up())
    await browser.send(CampaignQuestionState.cancel())
    assert (await hang_up_of(world, attempt.id)) == "campaign_cancelled"


async def hang_up_of(world: CampaignWorld, attempt_id: UUID) -> str:
    """Why the carrier is asked to end it."""
    async with world.database.session() as session:
        return (await session.get_one(Attempt, attempt_id)).hang_up_why


async def test_retry_failed_takes_up_only_the_ticked_outcomes(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign(status=CampaignStatus.COMPLETED)
    busy = await world.recipient(campaign_id, RecipientStatus.BUSY, attempts_made=1)
    failed = await world.recipient(campaign_id, RecipientStatus.FAILED, attempts_made=1)
    browser = await open_campaign(tab, world, campaign_id)
    await browser.send(CampaignQuestionState.ask("retry", campaign_id))
    offered = {one.status: one.count for one in (await tab.state(CampaignQuestionState)).outcomes}
    assert offered == {"no_answer": 0, "busy": 1, "failed": 1}
    await browser.send(CampaignQuestionState.tick("failed"))
    await browser.send(CampaignQuestionState.retry())
    assert (await world.person(busy)).status is RecipientStatus.PENDING
    assert (await world.person(failed)).status is RecipientStatus.FAILED
    assert await world.status(campaign_id) is CampaignStatus.RUNNING


@pytest.mark.parametrize("status", [RecipientStatus.COMPLETED, RecipientStatus.BUSY])
async def test_retry_failed_is_offered_where_somebody_was_not_reached(
    world: CampaignWorld, tab: Driver, status: RecipientStatus
) -> None:
    campaign_id = await world.campaign(status=CampaignStatus.COMPLETED)
    await world.recipient(campaign_id, status, attempts_made=1)
    browser = await open_campaign(tab, world, campaign_id)
    await browser.send(CampaignState.load())
    await browser.send(CampaignsState.load())
    is_offered = status is RecipientStatus.BUSY
    assert (await tab.state(CampaignState)).header.can_retry is is_offered
    assert (await tab.state(CampaignsState)).rows[0].can_retry is is_offered


async def begun_elsewhere(world: CampaignWorld) -> tuple[int, int]:
    """A completed campaign of another carrier account than the one in use, and one who was not reached."""
    async with world.database.transaction() as session:
        account = await make_carrier_account(session)
    campaign_id = await world.campaign(status=CampaignStatus.COMPLETED, carrier_account_id=account.id)
    return campaign_id, await world.recipient(campaign_id, RecipientStatus.BUSY, attempts_made=1)


async def test_retry_failed_asks_before_it_goes_on_at_another_carrier(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id, missed = await begun_elsewhere(world)
    browser = await open_campaign(tab, world, campaign_id)
    await browser.send(CampaignQuestionState.ask("retry", campaign_id))
    await browser.send(CampaignQuestionState.retry())
    assert "Confirm" in (await tab.state(CampaignQuestionState)).carrier_question
    assert (await world.person(missed)).status is RecipientStatus.BUSY
    await browser.send(CampaignQuestionState.confirm_carrier())
    state = await tab.state(CampaignQuestionState)
    assert (state.asking, state.carrier_question) == ("", "")
    assert (await world.person(missed)).status is RecipientStatus.PENDING


async def test_a_retry_of_one_contact_asks_before_it_goes_on_at_another_carrier(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id, missed = await begun_elsewhere(world)
    browser = await open_campaign(tab, world, campaign_id, "/contacts")
    await browser.send(SelectionState.do("retry", missed))
    assert "Confirm" in (await tab.state(SelectionState)).carrier_question
    assert (await world.person(missed)).status is RecipientStatus.BUSY
    await browser.send(SelectionState.close(False))
    assert (await tab.state(SelectionState)).carrier_question == ""
    await browser.send(SelectionState.ask("retry", missed))
    await browser.send(SelectionState.confirm())
    await browser.send(SelectionState.confirm_carrier())
    state = await tab.state(SelectionState)
    assert (state.asking, state.carrier_question) == ("", "")
    assert (await world.person(missed)).status is RecipientStatus.PENDING


async def test_a_draft_is_deleted_from_the_list(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign(people=1)
    browser = await signed_in(tab, world.organization, "/campaigns")
    await browser.send(CampaignQuestionState.ask("delete", campaign_id))
    await browser.send(CampaignQuestionState.delete())
    await browser.send(CampaignsState.load())
    assert (await tab.state(CampaignsState)).rows == []


async def test_creating_makes_a_draft_row(world: CampaignWorld, tab: Driver) -> None:
    browser = await signed_in(tab, world.organization, "/campaigns")
    deltas = await browser.send(CampaignsState.create())
    async with world.database.session() as session:
        made = (await session.execute(select(Campaign).where(col(Campaign.status) == "draft"))).scalar_one()
    assert made.organization_id == world.organization.id
    assert tab.errors == []
    assert deltas


async def test_another_organizations_campaign_is_not_found_on_any_tab(
    world: CampaignWorld, tab: Driver
) -> None:
    theirs = await build_world(world.database)
    campaign_id = await theirs.campaign(people=1, name="Their secret plan")
    browser = await open_campaign(tab, world, campaign_id)
    deltas = []
    for state in (CampaignState, OverviewState, CampaignContactsState, CampaignSettingsState, CallLogState):
        deltas += await browser.send(state.load())
        assert (await tab.state(state)).problem == f"There is no campaign {campaign_id}."
    await browser.send(CampaignActionsState.start(campaign_id))
    assert await theirs.status(campaign_id) is CampaignStatus.DRAFT
    assert "secret plan" not in str(deltas)


async def test_an_organization_that_is_not_there_shows_nothing_of_the_one_seen_before(
    world: CampaignWorld, tab: Driver
) -> None:
    await world.campaign(people=1)
    browser = await signed_in(tab, world.organization, "/campaigns")
    await browser.send(SessionState.enter())
    await browser.send(CampaignsState.load())
    browser.path = "/nosuch/campaigns"
    for event in (SessionState.enter(), CampaignsState.load()):
        await browser.send(event)
    assert (await tab.state(SessionState)).problem == "There is no organization nosuch."
    assert (await tab.state(CampaignsState)).problem == "There is no organization nosuch."
    browser.path = f"/{world.organization.slug}/campaigns"
    await browser.send(SessionState.enter())
    assert (await tab.state(SessionState)).problem == ""


async def test_the_overview_says_where_everybody_is_and_why_nothing_happens(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id = await world.campaign(
        people=2, status=CampaignStatus.PAUSED, status_reason="too many no answers"
    )
    await world.recipient(campaign_id, RecipientStatus.COMPLETED, attempts_made=1)
    browser = await open_campaign(tab, world, campaign_id)
    await browser.send(OverviewState.load())
    overview = (await tab.state(OverviewState)).overview
    assert overview.conservation == "3 contacts = 2 pending + 1 completed"
    assert (overview.now.kind, overview.now.sentence) == (
        "held",
        "The campaign is paused: too many no answers",
    )
    assert {share.status: share.count for share in overview.shares}["completed"] == "1"


async def test_a_review_is_settled_by_a_person(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign(status=CampaignStatus.RUNNING)
    person = await world.recipient(campaign_id, RecipientStatus.IN_PROGRESS)
    attempt = await world.attempt(person, AttemptStatus.REVIEW)
    browser = await open_campaign(tab, world, campaign_id)
    await browser.send(OverviewState.load())
    [review] = (await tab.state(OverviewState)).reviews
    assert review.id == str(attempt.id)
    await browser.send(OverviewState.settle(review.id, False))
    assert (await tab.state(OverviewState)).reviews == []
    async with world.database.session() as session:
        assert (await session.get_one(Attempt, attempt.id)).status is AttemptStatus.NOT_PLACED


async def test_a_second_call_is_told_of(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign(status=CampaignStatus.RUNNING)
    person = await world.recipient(campaign_id, RecipientStatus.IN_PROGRESS)
    attempt = await world.attempt(person, AttemptStatus.RINGING)
    async with world.database.transaction() as session:
        await note_second_calls(session, [(attempt.id, "CAsecond")], now=NOON)
    browser = await open_campaign(tab, world, campaign_id)
    await browser.send(OverviewState.load())
    [second] = (await tab.state(OverviewState)).seconds
    assert (second.id, second.state) == ("CAsecond", "Being hung up")


async def test_all_that_match_are_skipped_and_the_others_left_alone(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id = await world.campaign(people=30, status=CampaignStatus.PAUSED)
    reached = await world.recipient(campaign_id, RecipientStatus.COMPLETED, attempts_made=1)
    browser = await open_campaign(tab, world, campaign_id, "/contacts")
    await browser.send(CampaignContactsState.load())
    assert len((await tab.state(CampaignContactsState)).rows) == 25
    await browser.send(SelectionState.tick_all())
    await browser.send(SelectionState.ask("skip", 0))
    deltas = await browser.send(SelectionState.confirm())
    assert (await world.people(campaign_id))[RecipientStatus.SKIPPED] == 30
    assert (await world.person(reached)).status is RecipientStatus.COMPLETED
    assert {one.status for one in (await tab.state(CampaignContactsState)).rows} == {"skipped"}
    assert tab.errors == []
    assert deltas


async def test_the_contacts_tab_opens_filtered_from_the_overviews_link(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id = await world.campaign(people=2)
    await world.recipient(campaign_id, RecipientStatus.BUSY, attempts_made=1)
    browser = await open_campaign(tab, world, campaign_id, "/contacts?status=busy")
    await browser.send(CampaignContactsState.load())
    assert [one.status for one in (await tab.state(CampaignContactsState)).rows] == ["busy"]


async def test_a_person_is_added_by_hand_with_their_variables(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign()
    browser = await open_campaign(tab, world, campaign_id, "/contacts")
    await browser.send(AddContactsState.by_hand())
    await browser.send(
        AddContactsState.add({"phone_number": "+12025550143", "name": "Ann", "variables": "day = Friday"})
    )
    [person] = (await tab.state(CampaignContactsState)).rows
    assert (person.name, (await tab.state(AddContactsState)).adding) == ("Ann", "")
    assert (await world.person(person.id)).variables == {"day": "Friday", "name": "Ann"}


async def test_a_number_that_cannot_be_is_explained_at_its_field(world: CampaignWorld, tab: Driver) -> None:
    browser = await open_campaign(tab, world, await world.campaign(), "/contacts")
    await browser.send(AddContactsState.by_hand())
    await browser.send(AddContactsState.add({"phone_number": "12"}))
    state = await tab.state(AddContactsState)
    assert (list(state.errors), state.adding, state.saving) == (["phone_number"], "hand", False)


async def test_people_of_the_address_book_join_the_campaign(world: CampaignWorld, tab: Driver) -> None:
    elsewhere = await world.campaign()
    known = await world.person(await world.recipient(elsewhere))
    campaign_id = await world.campaign()
    browser = await open_campaign(tab, world, campaign_id, "/contacts")
    await browser.send(AddContactsState.from_book())
    assert [one.id for one in (await tab.state(AddContactsState)).known] == [known.contact_id]
    await browser.send(AddContactsState.choose(known.contact_id))
    await browser.send(AddContactsState.add_chosen())
    assert (await world.people(campaign_id)) == {RecipientStatus.PENDING: 1}


async def test_a_contacts_sheet_says_why_it_was_not_contacted(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign()
    person = await world.recipient(
        campaign_id,
        RecipientStatus.SKIPPED,
        blocked_by="suppression",
        blocked_why="This number must not be contacted: they asked.",
    )
    browser = await open_campaign(tab, world, campaign_id, "/contacts")
    await browser.send(PersonState.show(person))
    state = await tab.state(PersonState)
    assert (state.is_open, state.detail.answer) == (
        True,
        "Skipped: this number must not be contacted: they asked.",
    )


async def test_settings_are_locked_while_the_campaign_runs(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign(people=1, status=CampaignStatus.RUNNING)
    browser = await open_campaign(tab, world, campaign_id, "/settings")
    await browser.send(CampaignSettingsState.load())
    assert "Pause the campaign first" in (await tab.state(CampaignSettingsState)).locked
    browser.path = f"{browser.path.removesuffix('/settings')}/edit/basics"
    await browser.send(BasicsState.load())
    assert "Pause the campaign first" in (await tab.state(WizardState)).locked
    await browser.send(BasicsState.keep({"name": "Renamed while running"}))
    assert (await world.row(campaign_id)).name == "March reminders"


async def test_the_settings_lead_to_the_step_where_each_is_changed(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign(status=CampaignStatus.PAUSED)
    browser = await open_campaign(tab, world, campaign_id, "/settings")
    await browser.send(CampaignSettingsState.load())
    shown = (await tab.state(CampaignSettingsState)).groups
    assert {group.title: group.edit.rpartition("/")[2] for group in shown} == {
        "Basics": "basics",
        "Message": "message",
        "Pace": "pace",
        "Retries": "pace",
        "When": "pace",
        "More": "pace",
    }
    assert all(f"/campaigns/{campaign_id}/edit/" in group.edit for group in shown)


async def test_the_call_log_lists_attempts_and_opens_one(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign(status=CampaignStatus.RUNNING)
    person = await world.recipient(campaign_id, RecipientStatus.COMPLETED, attempts_made=1)
    attempt = await world.attempt(
        person,
        AttemptStatus.COMPLETED,
        Disposition.ANSWERED,
        duration_seconds=65,
        placed_at=NOON,
        rendered={"closing": "Goodbye.", "question": "Will you come?", "welcome": "Hello Ann."},
    )
    browser = await open_campaign(tab, world, campaign_id, "/calls")
    await browser.send(CallLogState.load())
    [item] = (await tab.state(CallLogState)).rows
    assert (item.disposition, item.duration, item.cost) == ("answered", "1:05", "$0.03 estimated")
    await browser.send(CallLogState.show(str(attempt.id)))
    detail = (await tab.state(CallLogState)).detail
    assert [(part.label, part.text) for part in detail.parts] == [
        ("Greeting", "Hello Ann."),
        ("Question", "Will you come?"),
        ("Closing", "Goodbye."),
    ]


def test_what_a_carrier_tells_twice_is_one_line_in_plain_words() -> None:
    told = [
        EventRow(kind=kind, at=NOON, payload=payload)
        for kind, payload in (
            ("answered", {"CallStatus": "in-progress"}),
            ("opted_out", {"Digits": "9"}),
            ("answered", {"AnsweredBy": "human"}),
        )
    ]
    lines = event_lines(told, "UTC")
    assert [line.kind for line in lines] == ["Answered", "Opted out"]
    assert "in-progress" in lines[0].payload
    assert "human" in lines[0].payload


async def test_an_attempt_of_another_campaign_does_not_open_here(world: CampaignWorld, tab: Driver) -> None:
    elsewhere = await world.campaign()
    attempt = await world.attempt(await world.recipient(elsewhere))
    browser = await open_campaign(tab, world, await world.campaign(), "/calls")
    await browser.send(CallLogState.show(str(attempt.id)))
    assert not (await tab.state(CallLogState)).is_open


async def test_the_switch_stops_all_dialing_and_the_list_says_who_pulled_it(
    world: CampaignWorld, tab: Driver
) -> None:
    browser = await signed_in(tab, world.organization, "/campaigns")
    await browser.send(StopSwitchState.stop())
    await browser.send(CampaignsState.load())
    assert (await tab.state(CampaignsState)).stop_note.startswith("Stopped by ann")
    await browser.send(StopSwitchState.resume())
    assert await _stopped_at(world) is None


async def test_an_operator_may_stop_all_dialing_but_not_resume_it(world: CampaignWorld, tab: Driver) -> None:
    browser = await signed_in(tab, world.organization, "/campaigns", role=Role.OPERATOR)
    await browser.send(StopSwitchState.stop())
    await browser.send(StopSwitchState.resume())
    assert await _stopped_at(world) is not None


async def test_no_delta_holds_a_secret(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign(people=1)
    browser = await open_campaign(tab, world, campaign_id)
    deltas = []
    for event in (CampaignState.load, OverviewState.load, CampaignContactsState.load, CallLogState.load):
        deltas += await browser.send(event())
    # The address and the headers are Reflex's own; it strips the cookie when it writes a delta.
    sent = str(
        [{name: part for name, part in delta.items() if name != State.get_full_name()} for delta in deltas]
    )
    for secret in (browser.cookie, AUTH_TOKEN, SECRET, "AC" + "5" * 32):
        assert secret not in sent


async def _stopped_at(world: CampaignWorld) -> object:
    async with world.database.session() as session:
        return (await session.get_one(Organization, world.organization.id)).dialing_stopped_at


async def shown_cost(world: CampaignWorld, tab: Driver, *prices: str | None) -> tuple[str, str]:
    """The cost on the Overview of a campaign with two-minute calls at these prices, and the note below it."""
    campaign_id = await world.campaign(status=CampaignStatus.COMPLETED)
    for price in prices:
        recipient = await world.recipient(campaign_id, RecipientStatus.COMPLETED, attempts_made=1)
        priced = {"price": Decimal(price), "price_unit": "USD"} if price else {}
        await world.attempt(
            recipient, AttemptStatus.COMPLETED, Disposition.ANSWERED, duration_seconds=90, **priced
        )
    browser = await open_campaign(tab, world, campaign_id)
    await browser.send(OverviewState.load())
    measures = (await tab.state(OverviewState)).overview.measures
    return measures.cost, measures.cost_note


async def test_a_cost_says_how_much_of_it_the_carrier_has_told(world: CampaignWorld, tab: Driver) -> None:
    assert await shown_cost(world, tab) == ("$0.00", "Nothing spent yet")
    assert await shown_cost(world, tab, None) == ("$0.03", "Estimated: final prices follow")
    assert await shown_cost(world, tab, "-0.10", None) == ("$0.20", "Partly estimated: final prices follow")
    assert await shown_cost(world, tab, "-0.10", "-0.10") == ("$0.20", "As the carrier charges")

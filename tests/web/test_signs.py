"""What the Overview shows of a campaign that was stopped on bad signs, or is held back by its safeguards."""

from decimal import Decimal
from typing import Any

import pytest

from app.domain.attempt import AttemptStatus, Disposition
from app.domain.breaker import BreakerPolicy
from app.domain.campaign import CampaignStatus
from app.domain.recipient import RecipientStatus
from app.models import BreakerTrip
from app.web.pages.campaign.actions_state import CampaignActionsState
from app.web.pages.campaign.overview.state import OverviewState
from app.web.pages.campaign.settings.state import CampaignSettingsState
from app.web.pages.campaign.state import CampaignState
from app.web.pages.wizard.pace.state import PaceState
from app.web.pages.wizard.state import WizardState
from tests.services.campaign_world import CampaignWorld
from tests.support.builders import NOON
from tests.web.browser import signed_in
from tests.web.conftest import Driver

_SENTENCE = "54% of the last 50 attempts failed (limit 50%)"
_S = CampaignStatus


async def _overview(tab: Driver, world: CampaignWorld, campaign_id: int) -> OverviewState:
    """Open the Overview and return what it shows."""
    browser = await signed_in(tab, world.organization, f"/campaigns/{campaign_id}")
    await browser.send(OverviewState.load())
    return await tab.state(OverviewState)


async def _tripped(world: CampaignWorld, *, failed: int = 7, **campaign: Any) -> int:
    """Make a campaign whose breaker tripped, with the attempts that show it."""
    campaign_id = await world.campaign(people=2, **campaign)
    attempts = []
    for _ in range(failed):
        person = await world.recipient(campaign_id, RecipientStatus.FAILED, attempts_made=1)
        attempts.append(
            await world.attempt(
                person,
                AttemptStatus.FAILED,
                Disposition.CARRIER_ERROR,
                error_code=30008,
                error_message="Unknown error",
            )
        )
    async with world.database.transaction() as session:
        session.add(
            BreakerTrip(
                campaign_id=campaign_id,
                sign="failures",
                measured=54.0,
                threshold=50.0,
                window=50,
                attempt_ids=[attempt.id for attempt in attempts],
                at=NOON,
            )
        )
    return campaign_id


async def test_what_tripped_the_breaker_is_shown_with_its_attempts(world: CampaignWorld, tab: Driver) -> None:
    shown = await _overview(tab, world, await _tripped(world, status=_S.PAUSED, status_reason=_SENTENCE))
    (stop,) = shown.stops
    assert (stop.sentence, stop.is_now, stop.more) == (_SENTENCE, True, "and 2 more")
    assert len(stop.witnesses) == 5
    first = stop.witnesses[0]
    assert (first.disposition, first.why) == ("carrier_error", "Unknown error (30008)")
    assert first.search.startswith("+")
    assert shown.overview.now.sentence == f"The campaign is paused: {_SENTENCE}"


async def test_after_a_resume_the_trip_is_history(world: CampaignWorld, tab: Driver) -> None:
    shown = await _overview(tab, world, await _tripped(world, status=_S.RUNNING))
    assert [stop.is_now for stop in shown.stops] == [False]


async def test_a_later_pause_by_hand_is_not_put_down_to_the_trip(world: CampaignWorld, tab: Driver) -> None:
    campaign = await _tripped(world, status=_S.PAUSED, status_reason="lunch")
    shown = await _overview(tab, world, campaign)
    assert [stop.is_now for stop in shown.stops] == [False]


async def test_resuming_from_the_banner_goes_on_and_forgets(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await _tripped(
        world, status=_S.PAUSED, status_reason=_SENTENCE, carrier_account_id=world.carrier.id
    )
    browser = await signed_in(tab, world.organization, f"/campaigns/{campaign_id}")
    await browser.send(CampaignActionsState.resume(campaign_id))
    row = await world.row(campaign_id)
    assert row.status is _S.RUNNING
    assert row.breaker_since is not None


async def test_a_pilot_shows_how_far_it_is(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign(people=8, status=_S.RUNNING, pilot_size=4)
    await world.recipient(campaign_id, RecipientStatus.COMPLETED, attempts_made=1)
    guards = (await _overview(tab, world, campaign_id)).overview.safeguards
    (line,) = guards.lines
    assert (line.title, line.text, line.note, line.percent) == (
        "Pilot",
        "1 of 4 contacts tried",
        "The rest waits for your word",
        25.0,
    )
    assert guards.waits == ""


async def test_a_pilot_that_is_done_asks_for_a_person(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign(
        people=8,
        status=_S.PAUSED,
        status_reason="The pilot of 1 is done: look at the results, then resume to dial the rest",
        pilot_size=1,
        gate_rule="pilot",
    )
    await world.recipient(campaign_id, RecipientStatus.COMPLETED, attempts_made=1)
    guards = (await _overview(tab, world, campaign_id)).overview.safeguards
    assert guards.waits == "The pilot of 1 is done"
    assert guards.todo == "Look at the results, then resume to dial the rest."


async def test_the_ramp_names_its_step(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign(
        people=95, status=_S.RUNNING, ramp=True, ramp_step=1, breaker={"minimum": 5}
    )
    for _ in range(5):
        await world.recipient(campaign_id, RecipientStatus.COMPLETED, attempts_made=1)
    (line,) = (await _overview(tab, world, campaign_id)).overview.safeguards.lines
    assert line.text == "Step 2 of 4: 10% (10 of 100 contacts)"
    assert line.note == "5 tried. More follow when these went well"
    assert line.percent == 50.0


async def test_a_step_that_is_more_than_its_share_names_people_alone(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id = await world.campaign(people=60, status=_S.RUNNING, ramp=True)
    (line,) = (await _overview(tab, world, campaign_id)).overview.safeguards.lines
    assert line.text == "Step 1 of 4: 20 of 60 contacts"


async def test_the_budget_counts_calls_under_way(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign(
        people=3, status=_S.RUNNING, budget_cap=Decimal(1), time_limit_seconds=600
    )
    person = await world.recipient(campaign_id, RecipientStatus.IN_PROGRESS, attempts_made=1)
    await world.attempt(person, AttemptStatus.RINGING)
    (line,) = (await _overview(tab, world, campaign_id)).overview.safeguards.lines
    assert (line.text, line.note) == (
        "$0.14 of $1.00 used",
        "$0.14 of it is set aside for calls under way",
    )
    assert line.percent == 14.0


async def test_a_budget_that_is_used_up_says_what_to_do(world: CampaignWorld, tab: Driver) -> None:
    campaign_id = await world.campaign(
        people=3, status=_S.PAUSED, budget_cap=Decimal("0.01"), gate_rule="budget"
    )
    guards = (await _overview(tab, world, campaign_id)).overview.safeguards
    assert guards.waits == "The budget is used up"


async def test_without_safeguards_nothing_is_shown_of_them(world: CampaignWorld, tab: Driver) -> None:
    shown = await _overview(tab, world, await world.campaign(people=3, status=_S.RUNNING))
    assert (shown.overview.safeguards.lines, shown.stops) == ([], [])


async def test_a_failed_campaign_is_resumed_from_the_page_once_it_is_mended(
    world: CampaignWorld, tab: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    why = "No active number of ours is left that the campaign can call from."
    campaign_id = await world.campaign(
        people=2, status=_S.FAILED, status_reason=why, carrier_account_id=world.carrier.id
    )
    browser = await signed_in(tab, world.organization, f"/campaigns/{campaign_id}")
    for event in (CampaignState.load(), OverviewState.load()):
        await browser.send(event)
    header = (await tab.state(CampaignState)).header
    assert (header.status, header.status_reason) == ("failed", why)
    assert header.can_resume
    assert header.can_edit
    shown = (await tab.state(OverviewState)).overview.now
    assert (shown.kind, shown.sentence) == ("held", f"The campaign stopped on an error: {why}")

    monkeypatch.setattr("app.services.campaigns.carrier_check.make_carrier", lambda *_: Refusing())
    await browser.send(CampaignActionsState.resume(campaign_id))
    assert (await world.row(campaign_id)).status is _S.FAILED

    monkeypatch.setattr(Refusing, "says", None)
    await browser.send(CampaignActionsState.resume(campaign_id))
    assert (await world.row(campaign_id)).status is _S.QUEUED


class Refusing:
    """A carrier that says something of our account."""

    says: str | None = "The carrier says that our account is suspended."

    async def refuses(self) -> str | None:
        return self.says

    async def aclose(self) -> None:
        """Nothing is open."""


async def test_unreadable_settings_are_shown_at_their_default_and_saved_so(
    world: CampaignWorld, tab: Driver
) -> None:
    campaign_id = await world.campaign(
        people=1, status=_S.FAILED, breaker={"window": "many"}, carrier_account_id=world.carrier.id
    )
    browser = await signed_in(tab, world.organization, f"/campaigns/{campaign_id}/settings")
    await browser.send(CampaignSettingsState.load())
    state = await tab.state(CampaignSettingsState)
    assert state.warnings == ["The list of signs that pause the campaign cannot be read. Set it anew."]
    browser.path = f"{browser.path.removesuffix('/settings')}/edit/pace"
    await browser.send(PaceState.load())
    assert (await tab.state(PaceState)).values["breaker.window"] == str(BreakerPolicy().window)
    await browser.send(PaceState.keep({"weight": "2"}))
    assert "breaker" in (await tab.state(PaceState)).errors
    await browser.send(WizardState.take_defaults())
    assert (await tab.state(WizardState)).unreadable == []
    await browser.send(PaceState.keep({"weight": "2"}))
    assert (await tab.state(PaceState)).errors == {}
    browser.path = f"{browser.path.removesuffix('/edit/pace')}/settings"
    await browser.send(CampaignSettingsState.load())
    assert (await tab.state(CampaignSettingsState)).warnings == []
    assert (await world.row(campaign_id)).breaker == BreakerPolicy().to_json()

"""Adding people of the address book to a campaign by a rule, on its Contacts tab and in the wizard."""

from typing import Any

from sqlalchemy import select
from sqlmodel import col

from app.domain.audience import AudienceMode, AudienceStatus
from app.domain.campaign import CampaignStatus
from app.domain.recipient import RecipientStatus
from app.domain.rights import Role
from app.models import Organization, Recipient
from app.runtime.context import AppContext, get_context
from app.services.campaigns.audiences import AudiencePreview, AudienceView, advance
from app.services.contacts.queries import BoundedCount
from app.web.pages.audiences.form_state import AudienceConditionState, AudienceFormState
from app.web.pages.audiences.presenter import preview_sentence, rule_line
from app.web.pages.audiences.state import AudiencesState
from app.web.pages.campaign.contacts.selection_state import SelectionState
from app.web.pages.contacts.names_presenter import Names
from app.web.pages.wizard.contacts.state import ContactsStepState
from app.web.pages.wizard.state import WizardState
from tests.support.builders import NOON, make_campaign, make_contact, make_recipient, make_segment
from tests.web.browser import Browser, signed_in
from tests.web.conftest import Driver


class Here:
    """A browser on a campaign's Contacts tab, with the form open."""

    def __init__(self, browser: Browser, campaign_id: int, tab: Driver) -> None:
        self.browser = browser
        self.campaign_id = campaign_id
        self.tab = tab

    async def do(self, event: Any) -> AudienceFormState:
        """Run an event and the count that follows it."""
        await self.browser.send(event)
        await self.browser.send(AudienceFormState.count())
        return await self.tab.state(AudienceFormState)

    async def add(self) -> AudiencesState:
        """Press the button, and let the job do its work."""
        await self.browser.send(AudienceFormState.add())
        return await self.work()

    async def work(self) -> AudiencesState:
        """Do what is due, and show it."""
        rules = await self.tab.state(AudiencesState)
        for line in rules.lines:
            await advance(self.seams.database, audience_id=line.id, clock=self.seams.clock)
        await self.browser.send(AudiencesState.load())
        return await self.tab.state(AudiencesState)

    @property
    def seams(self) -> AppContext:
        """What the page reaches for."""
        return get_context()


async def opened(
    seams: AppContext,
    acme: Organization,
    tab: Driver,
    *,
    status: CampaignStatus = CampaignStatus.PAUSED,
    role: Role = Role.OWNER,
    path: str = "contacts",
    whom: str = "everyone",
) -> Here:
    """The form, over an address book of three, of whom Ada is a VIP and Cleo is in the campaign already."""
    async with seams.database.transaction() as session:
        campaign = await make_campaign(session, acme, name="Autumn", status=status)
        other = await make_campaign(session, acme, name="Spring", status=CampaignStatus.COMPLETED)
        ada = await make_contact(session, acme, name="Ada", tags=["vip"])
        ben = await make_contact(session, acme, name="Ben")
        cleo = await make_contact(session, acme, name="Cleo")
        await make_recipient(session, campaign, cleo)
        await make_recipient(session, other, ada, status=RecipientStatus.COMPLETED)
        await make_recipient(session, other, ben, status=RecipientStatus.NO_ANSWER)
        await session.flush()
    here = Here(await signed_in(tab, acme, f"/campaigns/{campaign.id}/{path}", role=role), campaign.id, tab)
    await here.browser.send(AudiencesState.load())
    await here.do(AudienceFormState.open())
    if whom:
        await here.do(AudienceFormState.choose("whom", whom))
    return here


async def test_nobody_is_added_before_it_is_chosen_whom(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    here = await opened(seams, acme, tab, whom="")
    form = await tab.state(AudienceFormState)
    assert (form.whom, form.preview, form.ready) == ("", "Choose who to add.", False)
    assert (await here.add()).lines == []


async def test_the_form_says_how_many_would_be_added_before_the_button(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    here = await opened(seams, acme, tab)
    form = await tab.state(AudienceFormState)
    assert (form.preview, form.ready) == ("3 match, 1 is in already, 2 would be added.", True)
    rules = await here.add()
    [line] = rules.lines
    assert (line.whom, line.state, line.result, line.is_unfinished) == (
        "Everyone in the address book",
        "done",
        "2 added · 1 in the campaign already",
        False,
    )
    assert not (await tab.state(AudienceFormState)).is_open
    assert tab.errors == []


async def test_a_segment_a_filter_and_an_outcome_are_said_in_words(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    here = await opened(seams, acme, tab)
    assert "no segment yet" in (await here.do(AudienceFormState.choose("whom", "segment"))).preview
    assert "Add at least one filter" in (await here.do(AudienceFormState.choose("whom", "filter"))).preview
    await here.browser.send(AudienceConditionState.open())
    form = await here.do(AudienceConditionState.add({"value": "vip"}))
    assert (form.chips, form.preview) == (
        ["Tags any of vip"],
        "1 matches, 0 are in already, 1 would be added.",
    )
    form = await here.do(AudienceFormState.choose("whom", "outcome"))
    assert (form.preview, form.ready) == ("Tick at least one outcome.", False)
    form = await here.do(AudienceFormState.tick_outcome("no_answer"))
    assert form.preview == "1 matches, 0 are in already, 1 would be added."
    [line] = (await here.add()).lines
    assert (line.whom, line.result) == ("In “Spring”: no answer", "1 added")


async def test_a_saved_segment_is_offered_by_name(seams: AppContext, acme: Organization, tab: Driver) -> None:
    rule = {"conditions": [{"field": "tags", "op": "any_of", "value": ["vip"]}]}
    async with seams.database.transaction() as session:
        await make_segment(session, acme, name="Favourites", rule=rule)
    here = await opened(seams, acme, tab)
    form = await here.do(AudienceFormState.choose("whom", "segment"))
    assert [option.words for option in form.segments] == ["Favourites"]
    assert form.preview == "1 matches, 0 are in already, 1 would be added."
    assert (await here.add()).lines[0].whom == "Segment “Favourites”"


async def test_who_was_contacted_of_late_or_is_in_a_chosen_campaign_is_left_out(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    here = await opened(seams, acme, tab)
    spring = (await tab.state(AudienceFormState)).campaigns[0]
    form = await here.do(AudienceFormState.leave_out(spring.value))
    assert form.preview == "1 matches, 1 is in already, 0 would be added."
    assert not form.adds_anybody
    assert (await here.do(AudienceFormState.leave_out(spring.value))).left_out == []
    form = await here.do(AudienceFormState.choose("days", "many"))
    assert (form.errors, form.ready) == ({"not_contacted_for_days": "Use a whole number of days."}, False)
    form = await here.do(AudienceFormState.choose("days", "30"))
    assert (form.errors, form.preview) == ({}, "3 match, 1 is in already, 2 would be added.")
    await here.browser.send(AudienceFormState.leave_out(spring.value))
    await here.browser.send(AudienceFormState.choose_mode("standing"))
    [line] = (await here.add()).lines
    assert line.left_out == "Without those contacted in the last 30 days or in “Spring”"


async def test_a_running_campaign_is_offered_only_to_keep_adding(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    here = await opened(seams, acme, tab, status=CampaignStatus.RUNNING)
    rules = await tab.state(AudiencesState)
    assert (rules.is_editable, rules.is_over) == (False, False)
    rules = await here.add()
    [line] = rules.lines
    assert (line.state, line.result, rules.keeps_adding) == (
        "standing",
        "2 added · 1 in the campaign already",
        True,
    )


async def test_a_standing_rule_is_ended_after_a_question(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    here = await opened(seams, acme, tab)
    await here.browser.send(AudienceFormState.choose_mode("standing"))
    [line] = (await here.add()).lines
    await here.browser.send(AudiencesState.ask(line.id))
    assert (await tab.state(AudiencesState)).asked == line.id
    await here.browser.send(AudiencesState.end())
    rules = await tab.state(AudiencesState)
    assert (rules.asked, rules.lines[0].state, rules.keeps_adding) == (0, "ended", False)


async def test_a_viewer_adds_nobody_and_a_campaign_that_is_over_takes_nobody(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    here = await opened(seams, acme, tab, role=Role.VIEWER)
    assert (await here.add()).lines == []
    over = await opened(seams, acme, tab, status=CampaignStatus.COMPLETED)
    assert (await tab.state(AudiencesState)).is_over
    assert (await over.add()).lines == []


async def test_the_wizard_counts_those_who_were_added(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    here = await opened(seams, acme, tab, status=CampaignStatus.DRAFT, path="edit/contacts")
    await here.add()
    await here.browser.send(ContactsStepState.load())
    assert (await tab.state(WizardState)).contacts == 3


async def test_whom_a_rule_would_add_again_is_skipped_instead_of_removed(
    seams: AppContext, acme: Organization, tab: Driver
) -> None:
    here = await opened(seams, acme, tab)
    await here.browser.send(AudienceFormState.choose_mode("standing"))
    assert (await here.add()).keeps_adding
    await here.browser.send(SelectionState.tick_all())
    await here.browser.send(SelectionState.ask("remove", 0))
    await here.browser.send(SelectionState.confirm())  # refused: they would come back
    assert (await tab.state(SelectionState)).asking == "remove"
    await here.browser.send(SelectionState.skip_instead())
    async with seams.database.session() as session:
        statuses = await session.scalars(
            select(col(Recipient.status)).where(col(Recipient.campaign_id) == here.campaign_id)
        )
        assert list(statuses) == [RecipientStatus.SKIPPED] * 3
    assert (await tab.state(SelectionState)).asking == ""


def view(**values: Any) -> AudienceView:
    plain: dict[str, Any] = {
        "id": 1,
        "mode": AudienceMode.SNAPSHOT,
        "status": AudienceStatus.ADDING,
        "segment_id": None,
        "segment_name": "",
        "rule": {},
        "not_contacted_for_days": 0,
        "not_in_campaigns": (),
        "added": 0,
        "already_in": 0,
        "suppressed": 0,
        "created_by": "ann@example.com",
        "created_at": NOON,
        "last_at": None,
        "next_at": NOON,
    }
    return AudienceView(**plain | values)


def test_progress_and_result_are_counted_in_words() -> None:
    adding = view(added=3_990, suppressed=10)
    line = rule_line(adding, Names(), CampaignStatus.PAUSED, zone="UTC", now=NOON)
    assert (line.state, line.state_words) == ("adding", "Adding\u2026 4,000 so far")
    assert line.result == "3,990 added · 10 skipped: they must not be contacted"
    assert line.by == "by ann@example.com"
    line = rule_line(adding, Names(), CampaignStatus.RUNNING, zone="UTC", now=NOON)
    assert line.state_words == "Waits until the campaign is paused"


def test_a_rule_names_the_campaigns_it_speaks_of() -> None:
    outcome = {"field": "campaign_status", "op": "any_of", "value": ["4:busy", "4:no_answer", "5:failed"]}
    inside = {"field": "campaign_id", "op": "none_of", "value": [6]}
    rule = {"match": "any", "conditions": [outcome, inside]}
    spoken = view(rule=rule, not_in_campaigns=(7,), not_contacted_for_days=1)
    names = Names({4: "May", 5: "June", 6: "July"})
    line = rule_line(spoken, names, CampaignStatus.PAUSED, zone="UTC", now=NOON)
    assert line.whom == "In “May”: busy, no answer, “June”: failed or Not in “July”"
    assert line.left_out == "Without those contacted in the last day or in a deleted campaign"


def test_a_preview_beyond_ten_thousand_says_so() -> None:
    preview = AudiencePreview(
        BoundedCount(10_000, more=True), BoundedCount(31), BoundedCount(10_000, more=True)
    )
    assert preview_sentence(preview) == "10,000+ match, 31 are in already, 10,000+ would be added."

"""What a start would meet, and the start."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import reflex as rx
from reflex.event import EventCallback, EventSpec
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.calling_hours import is_zone
from app.domain.campaign import CampaignStatus, Channel
from app.domain.phone import pretty
from app.domain.rights import Right
from app.services.access.principal import Principal
from app.services.campaigns.brief import campaign_brief
from app.services.campaigns.lifecycle import CarrierChanged, resume_campaign, start_campaign
from app.services.campaigns.preflight import preflight, preview_message
from app.services.campaigns.schedules import recurs
from app.services.campaigns.settings import CampaignSettings
from app.services.campaigns.views import Preflight
from app.services.errors import FieldErrors
from app.web import routes
from app.web.components import say_done
from app.web.guard import PageState, anyone, guarded, still_allowed
from app.web.pages.campaign.fields import basics, hours, message, pace, retries, safeguards
from app.web.pages.campaign.fields.boxes import Fact
from app.web.pages.campaign.start_presenter import how_many, start_question
from app.web.pages.wizard.message.state import PART_WORDS
from app.web.pages.wizard.state import WizardState, changes_elsewhere, draft_id
from app.web.pages.wizard.steps import ADDRESSES, LABELS, step_of
from app.web.time_format import in_zone, spoken_minutes
from app.web.visit import Visit
from app.web.words import CAMPAIGNS_TIME


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Something a start is refused for, and the step where it is corrected."""

    sentence: str
    step: str
    href: str


@dataclass(frozen=True, slots=True)
class Said:
    """One part of the message, on the first contact."""

    label: str
    text: str


class ReviewState(PageState, rx.State):
    """The summary, the obstacles, and the question before the start."""

    obstacles: rx.Field[list[Obstacle]] = rx.field(default_factory=list)
    warnings: rx.Field[list[str]] = rx.field(default_factory=list)
    headline: rx.Field[list[Fact]] = rx.field(default_factory=list)
    basics: rx.Field[list[Fact]] = rx.field(default_factory=list)
    message: rx.Field[list[Said]] = rx.field(default_factory=list)
    message_of: rx.Field[str] = rx.field("")
    pace: rx.Field[list[Fact]] = rx.field(default_factory=list)
    safeguards: rx.Field[list[Fact]] = rx.field(default_factory=list)
    """Numbers, safety, pilot, budget and share."""
    verb: rx.Field[str] = rx.field("Start")
    """Start, Schedule or Resume: what the button does."""
    asking: rx.Field[bool] = rx.field(False)
    question: rx.Field[str] = rx.field("")
    sentence: rx.Field[str] = rx.field("")
    skipped: rx.Field[str] = rx.field("")
    """How many are skipped and why; empty: nobody is."""
    confirm: rx.Field[str] = rx.field("")
    """What the button of the question says."""
    other_carrier: rx.Field[bool] = rx.field(False)
    """The question is now whether to go on at another carrier than before."""

    @guarded(Right.VIEW)
    async def load(self, visit: Visit) -> AsyncIterator[None]:
        """Check the draft."""
        self.loading, self.problem, self.asking = True, "", False
        yield
        await self._check(visit)
        self.loading = False

    @guarded(Right.VIEW, background=True)
    async def watch(self, visit: Visit) -> AsyncIterator[EventCallback[()]]:
        """Check again whenever an import has got on."""
        first, check = True, still_allowed(self, Right.VIEW)
        async for _ in changes_elsewhere(visit, draft_id(self), check):
            if not first:
                yield ReviewState.check_again()
            first = False

    @guarded(Right.VIEW)
    async def check_again(self, visit: Visit) -> None:
        """Show what stands in the way now."""
        await self._check(visit)

    @guarded(Right.RUN_CAMPAIGNS)
    async def ask(self, visit: Visit) -> None:
        """Check once more, and ask whether to start if nothing stands in the way."""
        await self._check(visit)
        self.asking, self.other_carrier = not self.obstacles, False

    @anyone
    def close(self, is_open: bool) -> None:  # noqa: FBT001 - what the dialog tells
        """Put the question away."""
        self.asking = is_open and self.asking

    @guarded(Right.RUN_CAMPAIGNS)
    async def go(self, visit: Visit) -> AsyncIterator[EventSpec | None]:
        """Start, schedule or resume, and go to the campaign's Overview."""
        self.saving = True
        yield None
        campaign_id = draft_id(self)
        try:
            status = await _go(visit, campaign_id, resume=self.verb == "Resume", confirmed=self.other_carrier)
        except CarrierChanged as question:
            self.other_carrier, self.sentence = True, f"{question} {self.sentence}"
            return
        except FieldErrors as refused:
            self.asking = False
            self.obstacles = _obstacles(visit.principal, campaign_id, refused.errors)
            return
        self.asking = False
        done = {
            "scheduled": "Campaign scheduled.",
            "queued": "Campaign started.",
            "running": "Campaign resumed.",
        }
        yield say_done(done.get(status, "Campaign started."))
        yield rx.redirect(routes.campaign(visit.principal.organization_slug, campaign_id))

    async def _check(self, visit: Visit) -> None:
        campaign_id = draft_id(self)
        detail = await (await self.get_state(WizardState))._look(visit, campaign_id)  # noqa: SLF001 - ours
        async with visit.reading() as session:
            check = await preflight(
                session,
                principal=visit.principal,
                campaign_ref=campaign_id,
                now=visit.now,
                carrier=visit.carrier(),
            )
            said = await preview_message(session, principal=visit.principal, campaign_ref=campaign_id)
        self.obstacles = _obstacles(visit.principal, campaign_id, check.errors)
        self.warnings = check.warnings
        self.headline = _headline(detail.settings, check)
        self.basics = basics.facts(detail, check.numbers)
        self.message = [Said(PART_WORDS[part], text) for part, text in said.texts.items() if text]
        self.message_of = (said.contact_name or pretty(said.number)) if self.message else ""
        self.pace = _pace(detail.settings)
        self.safeguards = safeguards.facts(detail.settings)
        asked = start_question(detail, check)
        self.verb, self.question, self.sentence = asked.verb, asked.title, asked.sentence
        self.skipped, self.confirm = asked.skipped, asked.confirm


async def _go(visit: Visit, campaign_id: int, *, resume: bool, confirmed: bool) -> CampaignStatus:
    act = resume_campaign if resume else start_campaign
    check = await visit.ask_carrier(campaign_id)

    async def acted(session: AsyncSession) -> CampaignStatus:
        await act(
            session,
            principal=visit.principal,
            campaign_ref=campaign_id,
            now=visit.now,
            carrier=visit.carrier(),
            check=check,
            confirm_carrier=confirmed,
        )
        return (await campaign_brief(session, principal=visit.principal, campaign_ref=campaign_id)).status

    return await visit.write(acted)


def _obstacles(principal: Principal, campaign_id: int, errors: dict[str, str]) -> list[Obstacle]:
    return [
        Obstacle(
            sentence=sentence,
            step=LABELS[step_of(field)],
            href=ADDRESSES[step_of(field)](principal.organization_slug, campaign_id),
        )
        for field, sentence in errors.items()
    ]


def _headline(settings: CampaignSettings, check: Preflight) -> list[Fact]:
    first = "Not known yet"
    if check.first_call_at is not None and is_zone(settings.time_zone):
        first = f"{in_zone(check.first_call_at, settings.time_zone)}, {CAMPAIGNS_TIME}"
    chosen_later = recurs(settings)
    if check.awaits_people and not chosen_later:
        first = "Once somebody matches"
    is_sms = settings.channel is Channel.SMS
    facts = [
        Fact("Contacts", _people(check, chosen_later=chosen_later)),
        Fact("First message" if is_sms else "First call", first),
        Fact(
            "Takes", spoken_minutes(check.estimated_minutes) if check.estimated_minutes else "Not known yet"
        ),
    ]
    if is_sms and check.sms_segments_max:
        facts.append(Fact("Segments", f"up to {check.sms_segments_max} a message"))
    return facts


def _people(check: Preflight, *, chosen_later: bool) -> str:
    if not check.awaits_people:
        return how_many(check.people)
    return "Who matches at each time" if chosen_later else "Who comes to match"


def _pace(settings: CampaignSettings) -> list[Fact]:
    return [
        *pace.facts(settings),
        *retries.facts(settings),
        *hours.facts(settings),
        message.missing_fact(settings),
    ]

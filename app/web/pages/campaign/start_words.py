"""What is asked before a start, wherever it is asked: how many people are really called, and when first."""

from dataclasses import dataclass, field

from app.config import get_settings
from app.domain.calling_hours import is_zone
from app.domain.campaign import CampaignStatus, Channel
from app.models import ScheduleType
from app.services.campaigns.settings import CampaignSettings
from app.services.campaigns.views import CampaignDetail, Preflight
from app.web.pages.wizard.moments import in_zone
from app.web.words import counted


@dataclass(frozen=True, slots=True)
class StartQuestion:
    """The question before a start; without a title nothing is asked."""

    verb: str = "Start"
    """Start, Schedule or Resume: what the answer does."""
    title: str = ""
    sentence: str = ""
    confirm: str = ""
    warnings: list[str] = field(default_factory=list)


def start_question(detail: CampaignDetail, check: Preflight) -> StartQuestion:
    """Word the question of a campaign that could start."""
    settings = detail.settings
    verb = "Schedule" if settings.schedule_type is ScheduleType.SCHEDULED else "Start"
    if detail.status is CampaignStatus.PAUSED:
        verb = "Resume"
    act = "texted" if settings.channel is Channel.SMS else "called"
    is_simulated = get_settings().carrier_simulated
    who = _who(check.contacts, act, is_simulated=is_simulated)
    if check.awaits_people:
        who = _whoever_comes(act, is_simulated=is_simulated)
    return StartQuestion(
        verb=verb,
        title=f"{verb} “{settings.name}”?",
        sentence=who if check.awaits_people else f"{who} {_when(settings, check)}".strip(),
        confirm=_confirm(verb, check, is_simulated=is_simulated),
        warnings=check.warnings,
    )


def _who(contacts: int, act: str, *, is_simulated: bool) -> str:
    """Return how many people are really called: the one thing not to be mistaken about."""
    people = counted(contacts, "person", "people")
    if is_simulated:
        return f"The carrier is simulated: nobody is really {act}. {people} will be played through."
    return f"{people} will really be {act}."


def _whoever_comes(act: str, *, is_simulated: bool) -> str:
    waiting = "Nobody matches its rule yet: it waits for people."
    if is_simulated:
        return f"{waiting} The carrier is simulated: nobody is really {act}."
    return f"{waiting} Whoever comes to match will really be {act}."


def _confirm(verb: str, check: Preflight, *, is_simulated: bool) -> str:
    if is_simulated or check.awaits_people:
        return verb
    return f"{verb} for {counted(check.contacts, 'contact', 'contacts')}"


def _when(settings: CampaignSettings, check: Preflight) -> str:
    if check.first_call_at is None or not is_zone(settings.time_zone):
        return ""
    return f"The first at {in_zone(check.first_call_at, settings.time_zone)}."

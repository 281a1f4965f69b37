"""The words before a start, for every page: how many people are really called, who is skipped, when it begins."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from app.domain.calling_hours import is_zone
from app.domain.campaign import CampaignStatus, Channel
from app.domain.gate import Rule
from app.runtime.config import get_settings
from app.services.campaigns.schedules import recurs
from app.services.campaigns.settings import CampaignSettings
from app.services.campaigns.views import CampaignDetail, Eligibility, Preflight, Skipped
from app.web.pages.campaign.fields.hours import is_scheduled
from app.web.time_format import in_zone
from app.web.words import CAMPAIGNS_TIME, counted


@dataclass(frozen=True, slots=True)
class StartQuestion:
    """The question before a start; closed while its title is empty."""

    verb: str = "Start"
    """The action that is confirmed: Start, Schedule or Resume."""
    title: str = ""
    sentence: str = ""
    skipped: str = ""
    """How many are skipped and why; empty if nobody is."""
    confirm: str = ""
    warnings: list[str] = field(default_factory=list)


def start_question(detail: CampaignDetail, check: Preflight) -> StartQuestion:
    """Word the question of a campaign that could start."""
    settings = detail.settings
    verb = "Schedule" if is_scheduled(settings) or recurs(settings) else "Start"
    if detail.status is CampaignStatus.PAUSED:
        verb = "Resume"
    act = "texted" if settings.channel is Channel.SMS else "called"
    is_simulated = get_settings().carrier_simulated
    who = _who(check.people, act, is_simulated=is_simulated)
    if check.awaits_people:
        waiting = _AT_EACH_TIME if recurs(settings) else _NOBODY_YET
        who = _people_to_come(waiting, act, is_simulated=is_simulated)
    confirm = f"{verb} for {counted(check.people.contacted, 'contact', 'contacts')}"
    when = "" if check.awaits_people else _when(settings, check)
    return StartQuestion(
        verb=verb,
        title=f"{verb} “{settings.name}”?",
        sentence=" ".join(filter(None, (who, when, detail.schedule_warning))),
        skipped=skipped_sentence(check.people),
        confirm=verb if is_simulated or check.awaits_people else confirm,
        warnings=check.warnings,
    )


def how_many(people: Eligibility) -> str:
    """Return "26 of 31" of those who will be contacted; "31" if that is everybody."""
    if people.contacted == people.total:
        return f"{people.total:,}"
    return f"{people.contacted:,} of {people.total:,}"


def skipped_sentence(people: Eligibility) -> str:
    """Return "5 are skipped: 4 without appt_date, 1 without first_name."; empty if nobody is."""
    count = people.skipped_count
    if not count:
        return ""
    reasons = [_reason(each) for each in people.skipped]
    listed = [f"{each.count:,} {reason}" for each, reason in zip(people.skipped, reasons, strict=True)]
    return f"{counted(count, 'is', 'are')} skipped: {', '.join(listed) if listed[1:] else reasons[0]}."


def _reason(skipped: Skipped) -> str:
    if skipped.variable:
        return f"without {skipped.variable}"
    return _REASONS.get(skipped.rule, "blocked by the carrier")


_REASONS: Final[Mapping[str, str]] = {
    Rule.SUPPRESSION: "on the do-not-contact list",
    Rule.CONSENT: "without consent",
    Rule.TEMPLATE: "with a message that cannot be filled in",
    "by_hand": "skipped by hand",
}


def _who(people: Eligibility, act: str, *, is_simulated: bool) -> str:
    """Return how many people are really called, or simulated."""
    who = f"{how_many(people)} {'person' if people.total == 1 else 'people'}"
    used_up = people.used_up
    no_more = f" {counted(used_up, 'has', 'have')} no attempt left." if used_up else ""
    if is_simulated:
        nobody = f"The carrier is simulated: nobody is really {act}."
        return f"{nobody} {who} will be simulated.{no_more}"
    return f"{who} will really be {act}.{no_more}"


_NOBODY_YET: Final = "Nobody matches its rule yet, so it waits."
_AT_EACH_TIME: Final = "Its people are chosen at each time of its schedule."


def _people_to_come(waiting: str, act: str, *, is_simulated: bool) -> str:
    if is_simulated:
        return f"{waiting} The carrier is simulated: nobody is really {act}."
    return f"{waiting} People who match later will really be {act}."


def _when(settings: CampaignSettings, check: Preflight) -> str:
    if check.first_call_at is None or not is_zone(settings.time_zone):
        return ""
    return f"The first at {in_zone(check.first_call_at, settings.time_zone)}, {CAMPAIGNS_TIME}."

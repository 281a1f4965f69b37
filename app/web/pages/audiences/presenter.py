"""Rules that add people, in words: who they add, who they leave out, and their progress."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from app.domain.audience import AudienceMode, AudienceStatus
from app.domain.campaign import EDITABLE, CampaignStatus
from app.domain.contact_filter_reading import read_filter
from app.domain.recipient import RecipientStatus
from app.services.campaigns.audiences import AudiencePreview, AudienceView
from app.web.pages.contacts.filter_presenter import filter_words, named
from app.web.pages.contacts.names_presenter import Names
from app.web.words import Moment, moment

OUTCOMES: Final = (
    RecipientStatus.NO_ANSWER,
    RecipientStatus.BUSY,
    RecipientStatus.VOICEMAIL,
    RecipientStatus.FAILED,
    RecipientStatus.COMPLETED,
    RecipientStatus.SKIPPED,
    RecipientStatus.CANCELLED,
)
"""The outcomes in another campaign, the most likely to be retried first."""


@dataclass(frozen=True, slots=True)
class RuleLine:
    """A rule in the list."""

    id: int
    whom: str
    left_out: str
    """Who is left out; empty if nobody is."""
    state: str
    """"adding", "waiting", "standing", "done" or "ended"."""
    state_words: str
    keeps_adding: bool
    is_unfinished: bool
    result: str
    by: str
    at: Moment = field(default_factory=Moment)


def rule_line(
    view: AudienceView, names: Names, status: CampaignStatus, *, zone: str, now: datetime
) -> RuleLine:
    """Word a rule of a campaign with that status; `names` has the campaigns and imports in the rules."""
    state, words = _state(view, status)
    return RuleLine(
        id=view.id,
        whom=_whom(view, names),
        left_out=_left_out(view, names),
        state=state,
        state_words=words,
        keeps_adding=view.mode is AudienceMode.STANDING,
        is_unfinished=view.next_at is not None,
        result=_result(view),
        by=f"by {view.created_by}" if view.created_by else "",
        at=moment(view.created_at, zone, now=now),
    )


def preview_sentence(preview: AudiencePreview) -> str:
    """Return "1,204 match, 31 are in already, 1,173 would be added."."""
    if not preview.matching.count:
        return "Nobody matches now."
    matching = "1 matches" if str(preview.matching) == "1" else f"{preview.matching} match"
    inside = "1 is in already" if str(preview.already_in) == "1" else f"{preview.already_in} are in already"
    return f"{matching}, {inside}, {preview.would_add} would be added."


def _state(view: AudienceView, status: CampaignStatus) -> tuple[str, str]:
    match view.status:
        case AudienceStatus.ADDING if view.mode is AudienceMode.SNAPSHOT and status not in EDITABLE:
            return "waiting", "Waits until the campaign is paused"
        case AudienceStatus.ADDING:
            return "adding", f"Adding\u2026 {view.added + view.suppressed:,} so far"
        case AudienceStatus.STANDING:
            return "standing", "Keeps adding who matches"
        case AudienceStatus.ENDED:
            return "ended", "Ended"
        case AudienceStatus.DONE:
            return "done", "Done"


def _result(view: AudienceView) -> str:
    parts = [f"{view.added:,} added"]
    if view.already_in:
        parts.append(f"{view.already_in:,} in the campaign already")
    if view.suppressed:
        parts.append(f"{view.suppressed:,} skipped: they must not be contacted")
    return " · ".join(parts)


def _whom(view: AudienceView, names: Names) -> str:
    if view.segment_id is not None:
        return f"Segment “{view.segment_name}”"
    return filter_words(read_filter(view.rule), names)


def _left_out(view: AudienceView, names: Names) -> str:
    parts = []
    if days := view.not_contacted_for_days:
        parts.append(f"contacted in the last {'day' if days == 1 else f'{days:,} days'}")
    if view.not_in_campaigns:
        parts.append(f"in {named(view.not_in_campaigns, names.campaigns, 'campaign')}")
    return f"Without those {' or '.join(parts)}" if parts else ""

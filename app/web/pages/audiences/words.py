"""Rules that add people, in words: whom they mean, whom they leave out, and how far they are."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from app.domain.campaign import EDITABLE, CampaignStatus
from app.domain.contact_filter import Condition, ContactFilter, Match, Op
from app.domain.contact_filter_reading import read_filter
from app.domain.recipient import RecipientStatus
from app.models import AudienceMode, AudienceStatus
from app.services.campaigns.audiences import AudiencePreview, AudienceView
from app.web.pages.campaign.words import STATUS_WORDS, Moment, moment
from app.web.pages.contacts.filters import said

OUTCOMES: Final = (
    RecipientStatus.NO_ANSWER,
    RecipientStatus.BUSY,
    RecipientStatus.VOICEMAIL,
    RecipientStatus.FAILED,
    RecipientStatus.COMPLETED,
    RecipientStatus.SKIPPED,
    RecipientStatus.CANCELLED,
)
"""What may have become of somebody in another campaign, the likeliest to be tried again first."""

_IN_CAMPAIGNS: Final = frozenset({"campaign_id", "campaign_status"})


@dataclass(frozen=True, slots=True)
class RuleLine:
    """A rule in the list."""

    id: int
    whom: str
    left_out: str
    """Whom it leaves out; empty for nobody."""
    state: str
    """"adding", "waiting", "standing", "done" or "ended"."""
    state_words: str
    keeps_adding: bool
    is_unfinished: bool
    result: str
    by: str
    at: Moment = field(default_factory=Moment)


def rule_line(
    view: AudienceView, names: Mapping[int, str], status: CampaignStatus, *, zone: str, now: datetime
) -> RuleLine:
    """Word a rule of a campaign with that status; `names` are the campaigns that rules speak of."""
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


def campaigns_named(views: Sequence[AudienceView]) -> set[int]:
    """Return the campaigns that rules speak of."""
    named = {campaign_id for view in views for campaign_id in view.not_in_campaigns}
    for view in views:
        for condition in read_filter(view.rule).conditions:
            if condition.field in _IN_CAMPAIGNS:
                named |= {int(str(value).partition(":")[0]) for value in _values(condition)}
    return named


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


def _whom(view: AudienceView, names: Mapping[int, str]) -> str:
    if view.segment_id is not None:
        return f"Segment “{view.segment_name}”"
    return filter_words(read_filter(view.rule), names)


def filter_words(wanted: ContactFilter, names: Mapping[int, str]) -> str:
    """Return a filter as a sentence without its full stop."""
    parts = [f"Search “{wanted.search}”"] if wanted.search else []
    joined = " and " if wanted.match is Match.ALL else " or "
    conditions = joined.join(_condition(condition, names) for condition in wanted.conditions)
    return ". ".join([*parts, conditions] if conditions else parts) or "Everyone in the address book"


def _condition(condition: Condition, names: Mapping[int, str]) -> str:
    if condition.field not in _IN_CAMPAIGNS:
        return said(condition)
    outcomes: dict[int, list[str]] = defaultdict(list)
    for value in _values(condition):
        campaign_id, _, status = str(value).partition(":")
        outcomes[int(campaign_id)] += [STATUS_WORDS[RecipientStatus(status)].lower()] if status else []
    parts = [
        f"{_named([campaign_id], names)}{': ' if words else ''}{', '.join(words)}"
        for campaign_id, words in outcomes.items()
    ]
    return f"{'Not in' if condition.op is Op.NONE_OF else 'In'} {', '.join(parts)}"


def _left_out(view: AudienceView, names: Mapping[int, str]) -> str:
    parts = []
    if days := view.not_contacted_for_days:
        parts.append(f"contacted in the last {'day' if days == 1 else f'{days:,} days'}")
    if view.not_in_campaigns:
        parts.append(f"in {_named(view.not_in_campaigns, names)}")
    return f"Without those {' or '.join(parts)}" if parts else ""


def _named(ids: Collection[int], names: Mapping[int, str]) -> str:
    return ", ".join(f"“{names[each]}”" if each in names else "a deleted campaign" for each in ids)


def _values(condition: Condition) -> tuple[str | int, ...]:
    value = condition.value
    if value is None:
        return ()
    return value if isinstance(value, tuple) else (value,)

"""Saving what was typed in boxes: only that, and never over what somebody else has changed meanwhile."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from app.services.campaigns.detail import get_campaign
from app.services.campaigns.operations import update_campaign
from app.services.campaigns.settings import CampaignSettings
from app.services.campaigns.views import CampaignDetail
from app.services.errors import ChangedMeanwhile, Conflict, FieldErrors
from app.web.pages.campaign.fields.boxes import setting_of
from app.web.pages.campaign.fields.form import changes_asked, settings_refused, texts_of
from app.web.visit import Visit

_VERSIONS, _MESSAGE, _CAMPAIGN = "read", "save", "campaign"
"""What a message says besides boxes; no setting is called so."""
_MOST_TRIES: Final = 5

Beside = Callable[[Mapping[str, Any], CampaignSettings, datetime], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class SentBoxes:
    """What a browser sends of its boxes: claims, all of it."""

    texts: dict[str, str]
    versions: dict[str, int]
    """Box -> the version that it has shown before something was typed in it."""
    message: str
    campaign_id: int | None

    @classmethod
    def read(cls, form: Mapping[str, Any], settings: frozenset[str]) -> "SentBoxes":
        """Return what the form says of the boxes of these settings."""
        versions, campaign = form.get(_VERSIONS), form.get(_CAMPAIGN)
        return cls(
            texts={
                box: _text(text)
                for box, text in form.items()
                if setting_of(box) in settings and text is not None
            },
            versions={box: at for box, at in versions.items() if isinstance(at, int)}
            if isinstance(versions, Mapping)
            else {},
            message=str(form.get(_MESSAGE, "")),
            campaign_id=campaign if isinstance(campaign, int) else None,
        )


@dataclass(slots=True)
class SaveOutcome:
    """What became of typed texts."""

    left: dict[str, str]
    """What was saved, once the saving has ended."""
    errors: dict[str, str] = field(default_factory=dict)
    """Field path -> what to change."""
    theirs: dict[str, str] = field(default_factory=dict)
    """Box that clashes -> what somebody else has put there."""

    def refuse(self, names: set[str]) -> None:
        """Take out the boxes of these settings."""
        self.left = {box: text for box, text in self.left.items() if setting_of(box) not in names}


async def save_typed(
    visit: Visit,
    campaign_id: int,
    typed: Mapping[str, str],
    bases: Mapping[str, str | None],
    beside: Beside,
) -> SaveOutcome:
    """Save every text that can be taken; `bases` are the boxes' texts as their tab has read them.

    A box whose setting has become something else meanwhile, and not what was typed, is not saved. Raises `Conflict`
    when the campaign can no longer be edited.
    """
    outcome = SaveOutcome(dict(typed))
    for _ in range(_MOST_TRIES):
        if not outcome.left or await _is_saved(visit, campaign_id, outcome, bases, beside):
            return outcome
    raise Conflict("This campaign is being changed by others just now. Try again.")


async def read_campaign(visit: Visit, campaign_id: int) -> CampaignDetail:
    """Return the campaign with its settings. Raises `NotFound`."""
    async with visit.reading() as session:
        return await get_campaign(session, principal=visit.principal, campaign_ref=campaign_id)


async def _is_saved(
    visit: Visit,
    campaign_id: int,
    outcome: SaveOutcome,
    bases: Mapping[str, str | None],
    beside: Beside,
) -> bool:
    """Try to save what is left, and tell whether that is done; else there is less left, or it has to be read anew."""
    settings = (await read_campaign(visit, campaign_id)).settings
    _set_clashes_aside(outcome, texts_of(settings), bases)
    asked, wrong = changes_asked(outcome.left, settings)
    outcome.errors |= wrong
    outcome.refuse(settings_refused(wrong))
    changes = {name: value for each in asked.values() for name, value in each.items()}
    if not changes:
        return True
    changes = beside(changes, settings, visit.now)
    expected = {name: getattr(settings, name) for name in changes}
    try:
        await visit.write(
            lambda session: update_campaign(
                session,
                principal=visit.principal,
                campaign_ref=campaign_id,
                changes=changes,
                now=visit.now,
                expected=expected,
            )
        )
    except ChangedMeanwhile:
        return False
    except FieldErrors as refused:
        outcome.errors |= refused.errors
        bad = settings_refused(refused.errors)
        names = {name for name, each in asked.items() if bad & each.keys()}
        outcome.refuse(names or set(asked))
        return False
    return True


def _set_clashes_aside(
    outcome: SaveOutcome, texts: Mapping[str, str], bases: Mapping[str, str | None]
) -> None:
    for box, text in list(outcome.left.items()):
        now = texts.get(box, "")
        if now not in (bases[box], text):
            outcome.theirs[box] = now
            del outcome.left[box]


def _text(sent: Any) -> str:
    if isinstance(sent, bool):
        return "on" if sent else ""
    return str(sent).replace("\r\n", "\n")

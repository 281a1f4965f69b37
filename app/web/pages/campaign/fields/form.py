"""All boxes of a campaign: what stands in them, what typed texts ask for, and which settings a step has."""

from collections.abc import Mapping
from typing import Any, Final

from app.services.campaigns.setting_declaration import Group
from app.services.campaigns.settings import SETTINGS, CampaignSettings
from app.services.errors import FieldErrors
from app.web.forms import setting_words
from app.web.pages.campaign.fields import basics, hours, message, pace, retries, safeguards, schedule
from app.web.pages.campaign.fields.boxes import Spelling, Texts, setting_of, usual

_SPELLINGS: Final[Mapping[str, Spelling]] = {
    **{name: usual(name) for name in SETTINGS},
    **retries.SPELLINGS,
    **hours.SPELLINGS,
    **schedule.SPELLINGS,
}
_LABELS: Final[Mapping[str, str]] = {
    **basics.LABELS,
    **message.LABELS,
    **pace.LABELS,
    **retries.LABELS,
    **hours.LABELS,
    **schedule.LABELS,
    **safeguards.LABELS,
}


def _of(*groups: Group) -> frozenset[str]:
    return frozenset(name for name, setting in SETTINGS.items() if setting.group in groups)


BASICS: Final = _of(Group.CAMPAIGN)
MESSAGE: Final = _of(Group.MESSAGE)
PACE: Final = _of(Group.START, Group.HOURS, Group.PACE, Group.VOICEMAIL)

_HOURS: Final = _of(Group.HOURS)


def texts_of(settings: CampaignSettings) -> dict[str, str]:
    """Return box -> what stands in it; an empty box may be left out."""
    return {box: text for spelling in _SPELLINGS.values() for box, text in spelling.texts(settings).items()}


def changes_asked(
    typed: Texts, settings: CampaignSettings
) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """Return the changes that typed texts ask for, by the setting that was typed in, and the errors.

    The other boxes of the same setting keep their values. The changes may name other settings too.
    """
    changes: dict[str, dict[str, Any]] = {}
    errors: dict[str, str] = {}
    boxes = texts_of(settings) | dict(typed)
    for name in dict.fromkeys(map(setting_of, typed)):
        try:
            changes[name] = _SPELLINGS[name].changes(boxes)
        except FieldErrors as refused:
            errors |= refused.errors
    return changes, errors


def settings_refused(errors: Mapping[str, str]) -> set[str]:
    """Return the settings that errors, or those of their parts, are of; calling hours stand or fall together."""
    names = set(map(setting_of, errors))
    return names | _HOURS if names & _HOURS else names


def label_of(path: str) -> str:
    """Return what a box, or the setting it is of, is called on the page."""
    return _LABELS.get(path) or _LABELS.get(setting_of(path)) or setting_words(path)

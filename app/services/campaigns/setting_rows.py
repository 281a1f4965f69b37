"""Reads a campaign's settings from its rows, and writes them."""

from collections.abc import Sequence
from typing import Any, Final

from app.domain.calling_hours import is_zone
from app.models import Campaign, Step
from app.services.campaigns.setting_declaration import Setting, Stored
from app.services.campaigns.settings import SETTINGS, CampaignSettings

_NOT_READABLE: Final = (ValueError, TypeError, AttributeError)

_COLUMNS: Final = tuple(declared for declared in SETTINGS.values() if not declared.own_rows)
_POOL: Final = tuple(declared.name for declared in SETTINGS.values() if declared.own_rows)


def settings_of(campaign: Campaign, step: Step, pool: Sequence[int]) -> CampaignSettings:
    """Return the stored settings. A setting that cannot be read has its default; `unreadable` names it."""
    values: dict[str, Any] = dict.fromkeys(_POOL, tuple(pool))
    for each in _COLUMNS:
        values[each.name] = _load(each, getattr(step if each.on_step else campaign, each.name))
    return CampaignSettings(**values)


def unreadable(campaign: Campaign) -> dict[str, str]:
    """Return the settings whose stored value cannot be read: field -> what to do.

    Such a campaign fails, because calls must not be made by guessed settings. Callsheet itself never stores such a
    value; another program that writes to the database may.
    """
    found = {
        each.name: each.stored.called
        for each in _COLUMNS
        if each.stored is not None and not _is_readable(each.stored, getattr(campaign, each.name))
    }
    found |= {} if is_zone(campaign.time_zone) else {"time_zone": "time zone"}
    return {name: f"The {called} cannot be read. Set it anew." for name, called in sorted(found.items())}


def write_settings(settings: CampaignSettings, campaign: Campaign, step: Step) -> None:
    """Write the settings into the rows, except the number pool, which has rows of its own."""
    for each in _COLUMNS:
        value = getattr(settings, each.name)
        if each.stored is not None:
            value = each.stored.absent if value is None else each.stored.store(value)
        setattr(step if each.on_step else campaign, each.name, value)
    step.channel = settings.channel


def _load(declared: Setting, column: Any) -> Any:
    try:
        return column if declared.stored is None else declared.stored.load(column)
    except _NOT_READABLE:
        return declared.default


def _is_readable(stored: Stored, column: Any) -> bool:
    try:
        stored.load(column)
    except _NOT_READABLE:
        return False
    return True

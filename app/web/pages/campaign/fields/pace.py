"""How fast a campaign goes."""

from collections.abc import Mapping
from typing import Final

import reflex as rx

from app.domain.campaign import Channel
from app.services.campaigns.settings import CampaignSettings
from app.web.components import form_row, glyph
from app.web.pages.campaign.fields.boxes import Fact
from app.web.pages.campaign.fields.drawing import Box, Editor, Tick, fields, narrow

AT_ONCE: Final = Box(
    "concurrent_limit",
    "Calls at once",
    "Higher is faster. Start low and raise it once the first calls went well.",
    bounded=True,
)
_STARTS: Final = (
    AT_ONCE,
    Box(
        "rate_limit_per_minute",
        "Calls per minute",
        "How many calls may begin within any one minute.",
        bounded=True,
    ),
    Box(
        "throttle_delay_ms",
        "Pause between starts",
        "From one call's start to the next. 0 is none.",
        bounded=True,
        unit="ms",
    ),
)
_LENGTHS: Final = (
    Box(
        "ring_timeout_seconds",
        "Ring for",
        "How long it may ring before it counts as no answer.",
        bounded=True,
        unit="seconds",
    ),
    Box(
        "time_limit_seconds",
        "Longest call",
        "The call is ended then, whatever is being said.",
        bounded=True,
        unit="seconds",
    ),
)
_VOICEMAIL: Final = Tick(
    "enable_voicemail_detection",
    "Detect voicemail",
    "A machine that answers counts as voicemail, not as a person reached.",
)
_TEXTS: Final = Box(
    "messages_per_second",
    "Messages per second",
    "What your number may send: 1 is safe for an ordinary number, short codes take up to 100.",
    bounded=True,
)

_BOXES: Final = (*_STARTS, *_LENGTHS, _TEXTS, _VOICEMAIL)
LABELS: Final[Mapping[str, str]] = {box.name: box.label for box in _BOXES}


def draw(editor: Editor, limit: rx.Var[str]) -> rx.Component:
    """Return the boxes; `limit` says what else bounds the calls at once."""
    calls = fields(
        form_row(*(box.draw(editor) for box in _STARTS)),
        rx.el.p(glyph("gauge", size=15), limit, class_name="cs-wizard-note"),
        form_row(
            *(box.draw(editor) for box in _LENGTHS),
            rx.el.div(_VOICEMAIL.draw(editor), class_name="cs-wizard-beside"),
        ),
    )
    return rx.fragment(rx.cond(editor.is_text, narrow(_TEXTS.draw(editor)), calls))


def facts(settings: CampaignSettings) -> list[Fact]:
    """Return the pace in words."""
    if settings.channel is Channel.SMS:
        return [_fact(_TEXTS, settings)]
    detection = "On" if getattr(settings, _VOICEMAIL.name) else "Off"
    numbers = [_fact(box, settings) for box in (*_STARTS, *_LENGTHS)]
    return [*numbers, Fact("Voicemail detection", detection)]


def least_limit(settings: CampaignSettings, others: Mapping[str, int]) -> str:
    """Return the effective limit, the least of the campaign's own and of others, in words."""
    limits = {"this campaign": int(getattr(settings, AT_ONCE.name)), **others}
    parts = ", ".join(f"{who} {limit:,}" for who, limit in limits.items())
    return f"At most {min(limits.values()):,} calls at once: the least of {parts}."


def _fact(box: Box, settings: CampaignSettings) -> Fact:
    value = int(getattr(settings, box.name))
    if not value:
        return Fact(box.label, "None")
    return Fact(box.label, f"{value:,} {box.unit}".rstrip())

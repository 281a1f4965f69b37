"""Status badges: colour, icon and word together, so that none of the three carries the meaning alone."""

from collections.abc import Mapping
from dataclasses import dataclass

import reflex as rx

from app.web.components.icons import glyph
from app.web.components.kinds import Text, Tone


@dataclass(frozen=True, slots=True)
class Look:
    """How one status is drawn and called."""

    tone: Tone
    icon: str
    label: str
    live: bool = False


CAMPAIGN_LOOKS: Mapping[str, Look] = {
    "draft": Look("gray", "pencil-line", "Draft"),
    "scheduled": Look("violet", "calendar-clock", "Scheduled"),
    "queued": Look("blue", "hourglass", "Queued"),
    "running": Look("indigo", "activity", "Running", live=True),
    "paused": Look("amber", "pause", "Paused"),
    "completed": Look("green", "circle-check", "Completed"),
    "cancelled": Look("gray", "ban", "Cancelled"),
    "failed": Look("red", "circle-x", "Failed"),
}
RECIPIENT_LOOKS: Mapping[str, Look] = {
    "pending": Look("gray", "clock", "Pending"),
    "in_progress": Look("indigo", "phone-call", "In progress", live=True),
    "completed": Look("green", "circle-check", "Completed"),
    "failed": Look("red", "circle-x", "Failed"),
    "no_answer": Look("amber", "phone-missed", "No answer"),
    "busy": Look("orange", "phone-off", "Busy"),
    "voicemail": Look("violet", "voicemail", "Voicemail"),
    "skipped": Look("gray", "skip-forward", "Skipped"),
    "cancelled": Look("gray", "ban", "Cancelled"),
}
ATTEMPT_LOOKS: Mapping[str, Look] = {
    "placing": Look("gray", "phone-outgoing", "Placing"),
    "queued": Look("blue", "hourglass", "Queued"),
    "ringing": Look("blue", "bell-ring", "Ringing", live=True),
    "in_progress": Look("indigo", "phone-call", "In progress", live=True),
    "completed": Look("green", "circle-check", "Completed"),
    "failed": Look("red", "circle-x", "Failed"),
    "sent": Look("blue", "send", "Sent"),
    "delivered": Look("green", "check-check", "Delivered"),
    "undelivered": Look("red", "mail-x", "Undelivered"),
    "unknown": Look("amber", "search", "Unknown"),
    "not_placed": Look("gray", "ban", "Not placed"),
    "review": Look("orange", "eye", "Review"),
}
DISPOSITION_LOOKS: Mapping[str, Look] = {
    "answered": Look("green", "phone", "Answered"),
    "voicemail": Look("violet", "voicemail", "Voicemail"),
    "no_answer": Look("amber", "phone-missed", "No answer"),
    "busy": Look("orange", "phone-off", "Busy"),
    "rejected": Look("orange", "phone-off", "Rejected"),
    "invalid_number": Look("red", "circle-slash", "Invalid number"),
    "carrier_error": Look("red", "triangle-alert", "Carrier error"),
    "delivered": Look("green", "check-check", "Delivered"),
    "undelivered": Look("red", "mail-x", "Undelivered"),
    "opted_out": Look("red", "user-x", "Opted out"),
    "cancelled": Look("gray", "ban", "Cancelled"),
}


def badge(label: Text, *, tone: Tone, icon: str, live: bool = False) -> rx.Component:
    """Return a badge of one fixed look; `live` lets its icon breathe (unless motion is unwanted)."""
    return rx.el.span(
        glyph(icon, size=13),
        label,
        class_name="cs-badge",
        data_tone=tone,
        data_live="true" if live else "false",
    )


def campaign_badge(status: Text) -> rx.Component:
    """Return the badge of a campaign status."""
    return _status_badge(status, CAMPAIGN_LOOKS)


def recipient_badge(status: Text) -> rx.Component:
    """Return the badge of a recipient's status."""
    return _status_badge(status, RECIPIENT_LOOKS)


def attempt_badge(status: Text) -> rx.Component:
    """Return the badge of an attempt status."""
    return _status_badge(status, ATTEMPT_LOOKS)


def disposition_badge(disposition: Text) -> rx.Component:
    """Return the badge of a disposition; nothing where there is none yet."""
    return _status_badge(disposition, DISPOSITION_LOOKS)


def _status_badge(status: Text, looks: Mapping[str, Look]) -> rx.Component:
    """Draw `status` as `looks` says; an empty one as a dash, an unknown one as its plain word."""
    cases = [
        (name, badge(look.label, tone=look.tone, icon=look.icon, live=look.live))
        for name, look in looks.items()
    ]
    if isinstance(status, str):
        return dict(cases)[status]
    none = rx.el.span("\N{EN DASH}", class_name="cs-none")
    return rx.el.span(rx.match(status, *cases, ("", none), badge(status, tone="gray", icon="circle-dashed")))

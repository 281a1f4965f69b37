"""Name, channel, agent and numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import reflex as rx
from reflex.vars import ArrayVar, ObjectVar

from app.domain.campaign import Channel, Purpose
from app.services.campaigns.number_warnings import CONTACTS_PER_NUMBER
from app.services.campaigns.settings import CampaignSettings
from app.services.campaigns.views import CampaignDetail
from app.services.numbers.queries import NumberView
from app.web.components import Choice, field_error
from app.web.pages.campaign.fields.boxes import Fact
from app.web.pages.campaign.fields.drawing import Area, Box, Editor, choice, narrow, options_of
from app.web.words import NOTHING, counted

DEFAULT, ONE, POOL = "default", "one", "pool"


@dataclass(frozen=True, slots=True)
class NumberOption:
    """One of our numbers to choose or tick."""

    value: str
    words: str
    note: str


NAME: Final = Box(
    "name",
    "Name",
    "Purpose, audience and time make a campaign easy to find again. 1 to 200 characters.",
    kind="text",
    placeholder="March appointment reminders",
)
DESCRIPTION: Final = Area(
    "description", "Description", "Notes for your team. Nobody you contact sees them.", rows=2, optional=True
)
PURPOSE: Final = "purpose"
CHANNEL: Final = "channel"
AGENT: Final = "agent_id"
NUMBER: Final = "phone_number_id"
NUMBERS: Final = "number_pool"

LABELS: Final[Mapping[str, str]] = {
    PURPOSE: "Purpose",
    CHANNEL: "Channel",
    AGENT: "Agent",
    NUMBER: "Caller ID",
    NUMBERS: "Numbers of the pool",
    **{box.name: box.label for box in (NAME, DESCRIPTION)},
}

PURPOSES: Final = [
    Choice(
        Purpose.INFORMATIONAL.value,
        "Informational",
        "Something they expect, such as a reminder. Nobody who refused consent is contacted.",
        "info",
    ),
    Choice(
        Purpose.MARKETING.value,
        "Marketing",
        "It sells or promotes something. Only people whose consent is on record are contacted; others are skipped.",
        "megaphone",
    ),
]
CHANNELS: Final = [
    Choice("call", "Call", "Your agent calls, speaks and listens for an answer.", "phone-call"),
    Choice("sms", "SMS", "A text message, made personal for each contact.", "message-square-text"),
]
NUMBER_CHOICES: Final = [
    Choice(DEFAULT, "The default caller ID", "The agent's own, else your organization's.", "phone"),
    Choice(ONE, "One number", "Everybody sees the same one.", "hash"),
    Choice(POOL, "A pool of numbers", "Used in turn, so that none calls too often.", "layers"),
]


def number_choice(settings: CampaignSettings) -> str:
    """Return which kind of caller ID is set."""
    if settings.number_pool:
        return POOL
    return ONE if settings.phone_number_id is not None else DEFAULT


def lacking(settings: CampaignSettings, *, has_agents: bool, chosen: str) -> dict[str, str]:
    """Return what still has to be chosen before the next step: setting -> what to do."""
    problems = {}
    if settings.agent_id is None and has_agents and settings.channel is Channel.CALL:
        problems[AGENT] = "Choose the agent who makes the calls."
    if chosen == ONE and settings.phone_number_id is None:
        problems[NUMBER] = "Choose the number that people will see."
    if chosen == POOL and not settings.number_pool:
        problems[NUMBERS] = "Tick at least one number."
    return problems


def number_options(
    numbers: Sequence[NumberView], settings: CampaignSettings, now: datetime
) -> list[NumberOption]:
    """Return the numbers fit for the channel, and the chosen ones even if they are not."""
    chosen = {settings.phone_number_id, *settings.number_pool}
    return [
        NumberOption(
            value=str(number.id),
            words=f"{number.pretty} · {number.label}" if number.label else number.pretty,
            note=_why_unfit(number, settings.channel) or _rest(number, settings.channel, now) or _use(number),
        )
        for number in numbers
        if number.id in chosen or not _why_unfit(number, settings.channel)
    ]


def _why_unfit(number: NumberView, channel: Channel) -> str:
    if not number.active:
        return "Not active: it will not be used"
    if channel is Channel.SMS:
        return "" if number.sms else "Cannot send text messages: it will not be used"
    return "" if number.voice else "Cannot make calls: it will not be used"


def _rest(number: NumberView, channel: Channel, now: datetime) -> str:
    return "Rests: it makes no calls just now" if channel is Channel.CALL and number.is_resting(now) else ""


def _use(number: NumberView) -> str:
    return f"In {counted(number.campaigns_count, 'campaign', 'campaigns')}"


def pool_size(settings: CampaignSettings) -> int:
    """Return how many numbers the campaign rotates over."""
    return len(settings.number_pool)


def pool_advice(contacts: int, settings: CampaignSettings) -> str:
    """Return how many numbers a pool should have for so many contacts."""
    ticked = pool_size(settings)
    advice = (
        f"Use at least 1 number per {CONTACTS_PER_NUMBER} contacts: carriers flag a number that calls many."
    )
    if not contacts:
        return advice
    needed = -(-contacts // CONTACTS_PER_NUMBER)
    return f"{advice} {counted(contacts, 'contact', 'contacts')}: {needed:,} or more; {ticked} ticked."


def agent_box(editor: Editor, agents: ArrayVar[Any], help_text: rx.Var[str]) -> rx.Component:
    """Return the box of the agent."""
    return choice(editor, AGENT, LABELS[AGENT], options_of(agents, "Choose an agent"), help_text)


def number_box(editor: Editor, numbers: ArrayVar[Any], help_text: rx.Var[str]) -> rx.Component:
    """Return the box of the one number."""
    options = options_of(numbers, "Choose a number")
    return narrow(choice(editor, NUMBER, LABELS[NUMBER], options, help_text))


def pool_boxes(editor: Editor, numbers: ArrayVar[Any], advice: rx.Var[str]) -> rx.Component:
    """Return the numbers to tick."""
    return rx.el.fieldset(
        rx.el.legend(LABELS[NUMBERS]),
        rx.el.p(advice, id=f"{NUMBERS}-help", class_name="cs-help"),
        rx.el.div(rx.foreach(numbers, _pool_number), class_name="cs-wizard-boxes"),
        field_error(NUMBERS, editor.error(NUMBERS)),
        aria_describedby=f"{NUMBERS}-help {NUMBERS}-error",
        class_name="cs-wizard-group",
    )


def _pool_number(number: ObjectVar[NumberOption]) -> rx.Component:
    return rx.el.label(
        rx.el.input(
            type="checkbox",
            name=rx.Var.create(f"{NUMBERS}.").to(str) + number.value.to(str),
            class_name="cs-checkbox",
        ),
        rx.el.span(number.words, class_name="cs-number"),
        rx.el.span(number.note, class_name="cs-help"),
        class_name="cs-wizard-box",
    )


def facts(detail: CampaignDetail, numbers: Sequence[str] | None = None) -> list[Fact]:
    """Return the basics in words; with the `numbers` that a start would show in place of those that are set."""
    settings = detail.settings
    inactive = "" if detail.agent_active is not False else " (switched off)"
    return [
        Fact(NAME.label, settings.name),
        Fact(DESCRIPTION.label, settings.description or NOTHING),
        Fact(LABELS[PURPOSE], "Marketing" if settings.purpose is Purpose.MARKETING else "Informational"),
        Fact(LABELS[CHANNEL], "Text message" if settings.channel is Channel.SMS else "Call"),
        Fact(LABELS[AGENT], f"{detail.agent_name}{inactive}" if detail.agent_name else "None chosen"),
        _number_fact(detail)
        if numbers is None
        else Fact("Caller IDs" if len(numbers) > 1 else LABELS[NUMBER], ", ".join(numbers) or "None"),
    ]


def _number_fact(detail: CampaignDetail) -> Fact:
    settings, labels = detail.settings, detail.number_labels
    if settings.number_pool:
        return Fact("Number pool", ", ".join(labels.get(number, "") for number in settings.number_pool))
    default = "The agent's default, else the organization's"
    return Fact(LABELS[NUMBER], labels.get(settings.phone_number_id or 0, default))

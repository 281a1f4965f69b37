"""What is said or sent, and what stands in for a value that a contact does not have."""

from collections.abc import Mapping
from typing import Final

from app.domain.campaign import Channel
from app.domain.templates import Missing
from app.services.campaigns.settings import CampaignSettings
from app.web.components import Choice
from app.web.pages.campaign.fields.boxes import Fact
from app.web.pages.campaign.fields.drawing import Area
from app.web.words import NOTHING

GREETING: Final = Area(
    "welcome_message_template",
    "Greeting (welcome message)",
    placeholder="Hi {{name|title_case}}, this is {{assistant_name}} calling from {{company}}.",
)
SPOKEN: Final = (
    GREETING,
    Area(
        "agenda_template",
        "Agenda",
        "Said next: what the call is about. Short is kind.",
        placeholder="I'm calling to remind you about your appointment on {{appointment_date}}.",
    ),
    Area(
        "question_template",
        "Question",
        "Answered by voice or by key. The agent adds by itself: press 1 or say yes, press 2 or say no, "
        "press 9 to stop these calls. Left empty, nothing is asked; 9 always works.",
        rows=2,
        placeholder="Can you make it?",
    ),
    Area(
        "end_call_message_template",
        "Closing",
        "Said before hanging up.",
        rows=2,
        placeholder="Thank you for your time, {{name}}. Have a great day!",
    ),
)
WRITTEN: Final = Area(
    "sms_message_template",
    "Message",
    "Say who you are, and how to stop: “Reply STOP to opt out.”",
    rows=6,
    placeholder="Hi {{name}}, this is a reminder of your appointment on {{appointment_date}}. "
    "Reply STOP to opt out.",
)
FALLBACKS: Final = "fallback_values"
MISSING: Final = "missing"

MISSING_CHOICES: Final = [
    Choice("fallback", "Use the fallback", "A start is refused while one is lacking.", "shield-check"),
    Choice("skip", "Skip the contact", "They are not contacted, and the list says why.", "skip-forward"),
    Choice("blank", "Leave it out", "Nothing stands in its place.", "eraser"),
    Choice("keep", "Keep the placeholder", "{{name}} is said or sent as it is written.", "braces"),
]
MISSING_WORDS: Final[Mapping[Missing, str]] = {Missing(one.value): one.label for one in MISSING_CHOICES}

LABELS: Final[Mapping[str, str]] = {
    FALLBACKS: "Fallback values",
    MISSING: "Missing values",
    **{area.name: area.label for area in (*SPOKEN, WRITTEN)},
}


def templates(channel: str) -> list[str]:
    """Return the templates a campaign of that channel has."""
    return [WRITTEN.name] if channel == Channel.SMS else [area.name for area in SPOKEN]


def facts(settings: CampaignSettings) -> list[Fact]:
    """Return the message in words."""
    fallbacks = "\n".join(f"{name} = {text}" for name, text in settings.fallback_values.items())
    return [
        *(
            Fact(LABELS[name].partition(" (")[0], getattr(settings, name) or NOTHING)
            for name in templates(settings.channel)
        ),
        missing_fact(settings),
        Fact(LABELS[FALLBACKS], fallbacks or NOTHING),
    ]


def missing_fact(settings: CampaignSettings) -> Fact:
    """Return in words what becomes of a variable without a value."""
    return Fact(LABELS[MISSING], MISSING_WORDS[settings.missing])

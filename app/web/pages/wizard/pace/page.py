"""How fast people are reached, how often, and when."""

import reflex as rx

from app.web.components import panel
from app.web.layout import shell
from app.web.pages.campaign.fields import hours, retries, safeguards
from app.web.pages.campaign.fields import pace as fields_of
from app.web.pages.campaign.fields.drawing import Editor
from app.web.pages.wizard.pace.state import PaceState
from app.web.pages.wizard.parts.frame import wizard_form
from app.web.pages.wizard.steps import WizardStep

_EDITOR = Editor(PaceState, PaceState.channel == "sms")
_HOURS_EVENTS = hours.HoursEvents(
    PaceState.choose_hours, PaceState.choose_clock, PaceState.add_window, PaceState.remove_window
)


@shell("Campaigns")
def pace() -> rx.Component:
    """Return the wizard's fourth step."""
    return wizard_form(
        WizardStep.PACE,
        PaceState,
        panel(fields_of.draw(_EDITOR, PaceState.limit), title="Pace"),
        panel(
            retries.draw(_EDITOR), title="Retries", description="What happens when somebody is not reached."
        ),
        panel(
            hours.draw_hours(_EDITOR, _HOURS_EVENTS),
            title="Calling hours",
            description="When people may be reached.",
        ),
        panel(hours.draw_start(_EDITOR, PaceState.choose_start), title="Start"),
        panel(
            safeguards.draw(_EDITOR),
            title="More",
            description="Sensible from the start; open what you want to change.",
        ),
    )

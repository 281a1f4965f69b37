"""The switch that stops all dialing, its banner, and the questions before it is used."""

import reflex as rx

from app.domain.rights import Right
from app.web.components import banner, confirm_dialog, secondary_button
from app.web.pages.campaigns.state import CampaignsState
from app.web.pages.campaigns.stop_state import StopSwitchState
from app.web.session import allows


def stop_button() -> rx.Component:
    """Return the button that stops all dialing, while dialing is allowed."""
    offered = allows(Right.STOP_DIALING) & (CampaignsState.stop_note == "") & CampaignsState.has_campaigns
    return rx.cond(
        offered,
        secondary_button("Stop all dialing", icon="octagon-pause", on_click=StopSwitchState.ask("stop")),
    )


def stopped_banner() -> rx.Component:
    """Return who stopped dialing and when, with the button that resumes it."""
    return rx.cond(
        CampaignsState.stop_note != "",
        banner(
            CampaignsState.stop_note,
            kind="danger",
            action=rx.cond(
                allows(Right.RESUME_DIALING),
                secondary_button("Resume dialing", icon="play", on_click=StopSwitchState.ask("resume")),
            ),
        ),
    )


def switch_dialogs() -> rx.Component:
    """Return the questions before dialing is stopped or resumed."""
    return rx.fragment(
        confirm_dialog(
            is_open=StopSwitchState.asking == "stop",
            on_open_change=StopSwitchState.close,
            title="Stop all dialing?",
            sentence="No campaign of this organization places another call or text until dialing is resumed. "
            "Calls in progress are not cut off. Nothing is lost: every campaign keeps its place.",
            confirm_label="Stop all dialing",
            on_confirm=StopSwitchState.stop,
        ),
        confirm_dialog(
            is_open=StopSwitchState.asking == "resume",
            on_open_change=StopSwitchState.close,
            title="Resume dialing?",
            sentence="Every running campaign continues at once where it stopped.",
            confirm_label="Resume dialing",
            on_confirm=StopSwitchState.resume,
            destructive=False,
        ),
    )

"""What stops all dialing, the banner that says so, and the questions before either."""

import reflex as rx

from app.domain.rights import Right
from app.web.components import banner, confirm_dialog, secondary_button
from app.web.pages.campaigns.state import CampaignsState
from app.web.pages.campaigns.stop_state import StopSwitchState
from app.web.session import allows


def stop_button() -> rx.Component:
    """Return the control that pulls the switch, while it is not pulled."""
    offered = allows(Right.STOP_DIALING) & (CampaignsState.stop_note == "") & CampaignsState.has_campaigns
    return rx.cond(
        offered,
        secondary_button("Stop all dialing", icon="octagon-pause", on_click=StopSwitchState.ask("stop")),
    )


def stopped_banner() -> rx.Component:
    """Return who pulled the switch and when, and the way back."""
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
    """Return the questions before either move."""
    return rx.fragment(
        confirm_dialog(
            is_open=StopSwitchState.asking == "stop",
            on_open_change=StopSwitchState.close,
            title="Stop all dialing?",
            sentence="No campaign of this organization places another call or message until dialing is "
            "resumed. Calls in progress go on to their end. Nothing is lost: every campaign keeps its place.",
            confirm_label="Stop all dialing",
            on_confirm=StopSwitchState.stop,
        ),
        confirm_dialog(
            is_open=StopSwitchState.asking == "resume",
            on_open_change=StopSwitchState.close,
            title="Resume dialing?",
            sentence="Every campaign that is running goes on at once where it stood.",
            confirm_label="Resume dialing",
            on_confirm=StopSwitchState.resume,
            destructive=False,
        ),
    )

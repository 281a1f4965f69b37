"""The switch that stops all dialing of the organization at once."""

import reflex as rx
from reflex.event import EventSpec

from app.domain.rights import Right
from app.runtime.context import get_context
from app.services.access.principal import Principal
from app.services.dialing.kill_switch import resume_all_dialing, stop_all_dialing
from app.web.components import banner, confirm_dialog, say_done, secondary_button
from app.web.guard import PageState, anyone, guarded
from app.web.pages.campaigns.state import CampaignsState
from app.web.session import allows


class StopSwitchState(PageState, rx.State):
    """Which question of the switch is open."""

    asking: rx.Field[str] = rx.field("")
    """"stop" or "resume"."""

    @anyone
    def ask(self, asking: str) -> None:
        """Open the question."""
        self.asking = asking

    @anyone
    def close(self, is_open: bool) -> None:  # noqa: FBT001 - what the dialog tells
        """Put it away."""
        if not is_open:
            self.asking = ""

    @guarded(Right.STOP_DIALING)
    async def stop(self, principal: Principal) -> EventSpec:
        """Stop all dialing."""
        context = get_context()
        await context.database.write(
            lambda session: stop_all_dialing(session, principal=principal, now=context.clock.now())
        )
        self.asking = ""
        return say_done("All dialing is stopped. Calls in progress go on to their end.")

    @guarded(Right.RESUME_DIALING)
    async def resume(self, principal: Principal) -> EventSpec:
        """Allow dialing again."""
        context = get_context()
        await context.database.write(
            lambda session: resume_all_dialing(session, principal=principal, now=context.clock.now())
        )
        self.asking = ""
        return say_done("Dialing is allowed again.")


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

"""The switch that stops all dialing of the organization at once."""

import reflex as rx
from reflex.event import EventSpec

from app.domain.rights import Right
from app.services.dialing.kill_switch import resume_all_dialing, stop_all_dialing
from app.web.components import say_done
from app.web.guard import PageState, anyone, guarded
from app.web.visit import Visit


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
    async def stop(self, visit: Visit) -> EventSpec:
        """Stop all dialing."""
        await visit.write(lambda session: stop_all_dialing(session, principal=visit.principal, now=visit.now))
        self.asking = ""
        return say_done("All dialing is stopped. Calls in progress are not cut off.")

    @guarded(Right.RESUME_DIALING)
    async def resume(self, visit: Visit) -> EventSpec:
        """Allow dialing again."""
        await visit.write(
            lambda session: resume_all_dialing(session, principal=visit.principal, now=visit.now)
        )
        self.asking = ""
        return say_done("Dialing is resumed.")

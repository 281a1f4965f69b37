"""The choice of a campaign's run, on the tabs that show one."""

import reflex as rx

from app.web.components import choose
from app.web.components.kinds import Change
from app.web.listing import ALL
from app.web.options import draw_option
from app.web.pages.campaign.state import CampaignState


def run_choice(chosen: rx.Var[str], on_choose: Change) -> rx.Component:
    """Return the choice; nothing while there is only one run. `chosen`: a number, or the usual run."""
    shown = choose((chosen == ALL) | (chosen == ""), CampaignState.run, chosen)
    return rx.cond(
        CampaignState.runs.length() > 0,
        rx.el.div(
            rx.el.select(
                rx.foreach(CampaignState.runs, draw_option),
                value=shown,
                on_change=on_choose,
                aria_label="Run",
                class_name="cs-input",
            ),
            class_name="cs-run-choice",
        ),
    )

"""The frame of every step: where one is, what is done, and the bar that leads on and back."""

from typing import Any, Final

import reflex as rx
from reflex.event import no_args_event_spec

from app.web import routes
from app.web.components import (
    Crumb,
    Step,
    banner,
    campaign_badge,
    choose,
    error_state,
    field_form,
    form_actions,
    glyph,
    link_button,
    page_header,
    stepper,
)
from app.web.components.kinds import Child, Click, Flag
from app.web.pages.campaign.parts.unknown_campaign import at_a_campaign
from app.web.pages.wizard.state import WizardState
from app.web.pages.wizard.steps import ADDRESSES, LABELS, WizardStep, after, before
from app.web.session import here

FORM: Final = "wizard-form"

_VALUES: Final = (
    "((form) => form ? Object.fromEntries(new FormData(form).entries()) : {})"
    f"(document.getElementById('{FORM}'))"
)
"""Everything that stands in the form now, typed a moment ago or not."""


class Kept(rx.el.Div):
    """A part of the form that is saved as soon as something in it is chosen."""

    @classmethod
    def get_event_triggers(cls) -> dict[str, Any]:
        """Add React's `onChange`, which comes up from every control within."""
        return {**super().get_event_triggers(), "on_change": no_args_event_spec}


def form_values(handler: Any) -> Any:
    """Return the event that hands the form's values to `handler`."""
    return rx.call_script(_VALUES, callback=handler)


def campaign_here() -> rx.Var[str]:
    """Return the Var of the campaign's id in the address."""
    campaign: rx.Var[str] = getattr(rx.State, routes.CAMPAIGN)
    return campaign


def address_of(step: WizardStep) -> str:
    """Return the address of another step of this draft."""
    return ADDRESSES[step](here(), campaign_here())


def wizard_page(step: WizardStep, state: Any, *content: Child) -> rx.Component:
    """Return the whole page of a step, without a form; `content` ends with its own `closing_bar`."""
    return at_a_campaign(
        _header(),
        _stepper(step),
        rx.cond(
            state.problem != "",
            error_state(state.problem, on_retry=state.load),
            rx.cond(
                state.loading,
                _skeleton(),
                rx.cond(WizardState.locked != "", _locked(), rx.el.div(*content, class_name="cs-wizard")),
            ),
        ),
    )


def wizard_form(step: WizardStep, state: Any, *content: Child) -> rx.Component:
    """Return the whole page of a step whose fields are one form, saved as they are left."""
    form = field_form(
        *content,
        closing_bar(
            step,
            rx.button(
                _next_words(step),
                glyph("arrow-right"),
                type="submit",
                loading=state.saving,
                disabled=state.saving,
            ),
            back=rx.button(
                glyph("arrow-left"),
                "Back",
                type="button",
                variant="surface",
                color_scheme="gray",
                on_click=form_values(state.back),
            )
            if before(step) is not None
            else None,
        ),
        id=FORM,
        state=state,
        on_submit=state.forward,
        on_blur=form_values(state.keep),
        custom_attrs={"noValidate": True},
        class_name="cs-wizard",
    )
    return wizard_page(step, state, form)


def closing_bar(step: WizardStep, onward: Child, *, back: Child | None = None) -> rx.Component:
    """Return the bar at the foot of a step."""
    del step
    note = rx.el.span(glyph("cloud-check", size=15), "Saved as you go", class_name="cs-wizard-saved")
    return rx.el.div(
        form_actions(back if back is not None else rx.fragment(), onward, note=note),
        class_name="cs-wizard-bar",
    )


def back_link(step: WizardStep) -> rx.Component:
    """Return the way to the step before, for steps that have saved all there is."""
    previous = before(step)
    return link_button("Back", href=address_of(previous), icon="arrow-left") if previous else rx.fragment()


def next_link(step: WizardStep) -> rx.Component:
    """Return the way to the next step, for steps that have saved all there is."""
    following = after(step)
    return (
        rx.link(
            _next_words(step),
            glyph("arrow-right"),
            href=address_of(following),
            underline="none",
            class_name="cs-link-button",
            data_primary="true",
        )
        if following
        else rx.fragment()
    )


def next_button(step: WizardStep, *, on_click: Click) -> rx.Component:
    """Return the way to the next step where something has to be asked first."""
    return rx.button(_next_words(step), glyph("arrow-right"), on_click=on_click, type="button")


def _next_words(step: WizardStep) -> rx.Component:
    following = after(step)
    where = f": {LABELS[following]}" if following else ""
    return rx.el.span("Next", rx.el.span(where, class_name="cs-wizard-where"))


def _header() -> rx.Component:
    return page_header(
        choose(WizardState.name != "", WizardState.name, "New campaign"),
        breadcrumbs=[Crumb("Campaigns", routes.campaigns(here()))],
        beside_title=[campaign_badge(WizardState.status)],
    )


def _stepper(current: WizardStep) -> rx.Component:
    done: dict[WizardStep, Flag] = {
        WizardStep.BASICS: WizardState.basics_done,
        WizardStep.MESSAGE: WizardState.message_done,
        WizardStep.CONTACTS: WizardState.contacts_done,
        WizardStep.PACE: WizardState.pace_done,
        WizardStep.REVIEW: False,
    }
    steps = [Step(LABELS[step], address_of(step), done[step]) for step in WizardStep]
    return stepper(steps, current=LABELS[current], label="Steps of the campaign")


def _locked() -> rx.Component:
    return banner(
        WizardState.locked,
        kind="warning",
        title="This campaign cannot be edited now",
        action=link_button("Open the campaign", href=routes.campaign(here(), campaign_here())),
    )


def _skeleton() -> rx.Component:
    return rx.el.div(
        rx.el.span("Opening the draft", role="status", class_name="cs-hidden"),
        rx.el.span(class_name="cs-skeleton cs-skeleton-title"),
        rx.el.span(class_name="cs-skeleton cs-skeleton-block"),
        class_name="cs-stack",
    )

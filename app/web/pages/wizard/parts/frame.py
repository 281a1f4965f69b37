"""The frame of every step: where one is, what is done, and the bar that leads on and back."""

from typing import Any, Final

import reflex as rx
from reflex.vars import ObjectVar
from reflex_components_core.core.banner import has_connection_errors

from app.web import routes
from app.web.components import (
    Crumb,
    StepLink,
    banner,
    campaign_badge,
    choose,
    error_state,
    field_form,
    form_actions,
    glyph,
    link_button,
    page_header,
    secondary_button,
    stepper,
)
from app.web.components.kinds import Child, Click, Flag, Text, as_text, flag_word
from app.web.pages.campaign.parts.unknown_campaign import at_a_campaign
from app.web.pages.wizard.state import WizardState
from app.web.pages.wizard.step_state import Clash
from app.web.pages.wizard.steps import ADDRESSES, LABELS, WizardStep, after, before
from app.web.session import here

_TYPED: Final = "callsheetTyped()"
"""What was typed and is not saved, as `assets/editor.js` hands it over."""


def typed(handler: Any) -> Any:
    """Return the event that hands what was typed to `handler`."""
    return rx.call_script(_TYPED, callback=handler)


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
        _header(step),
        rx.el.div(_stepper(step), data_step=step.value),
        rx.cond(
            state.problem != "",
            error_state(state.problem, on_retry=state.load),
            rx.cond(
                state.loading,
                _skeleton(),
                rx.cond(
                    WizardState.locked != "",
                    _locked(),
                    rx.el.div(_unreadable(), *content, class_name="cs-wizard"),
                ),
            ),
        ),
    )


def wizard_form(step: WizardStep, state: Any, *content: Child) -> rx.Component:
    """Return the whole page of a step whose fields are one form, saved as they are typed in."""
    forward = rx.button(
        rx.cond(_is_end(step), "Back to the campaign", _next_words(step)),
        rx.cond(_is_end(step), rx.fragment(), glyph("arrow-right")),
        type="submit",
        loading=state.saving,
        disabled=state.saving,
    )
    back = rx.button(
        glyph("arrow-left"),
        "Back",
        type="button",
        variant="surface",
        color_scheme="gray",
        on_click=typed(state.back),
    )
    form = field_form(
        rx.el.button(type="button", hidden=True, on_click=typed(state.keep), data_save="true"),
        *content,
        rx.el.div(
            _clashes(state),
            form_actions(
                back if before(step) is not None else rx.fragment(), forward, note=_save_state(state.unsaved)
            ),
            class_name="cs-wizard-bar",
        ),
        state=state,
        on_submit=typed(state.forward),
        data_sheet=state.sheet,
        custom_attrs={"noValidate": True},
        class_name="cs-wizard",
    )
    return wizard_page(step, state, form)


def closing_bar(onward: Child, *, back: Child | None = None) -> rx.Component:
    """Return the bar at the foot of a step that has no form of settings."""
    return rx.el.div(
        form_actions(back if back is not None else rx.fragment(), onward, note=_save_state("")),
        class_name="cs-wizard-bar",
    )


def _save_state(unsaved: Text) -> rx.Component:
    """Return the one place that says whether all is saved; `assets/editor.js` words it."""
    return rx.el.p(
        role="status",
        data_save_state="",
        data_unsaved=unsaved,
        data_at=WizardState.saved_at,
        data_lost=flag_word(has_connection_errors),
        class_name="cs-save-state",
    )


def _clashes(state: Any) -> rx.Component:
    return rx.cond(
        state.clashes.length() > 0,
        rx.el.div(
            rx.foreach(state.clashes, lambda clash: _clash(state, clash)),
            role="alert",
            class_name="cs-clashes",
        ),
    )


def _clash(state: Any, clash: ObjectVar[Clash]) -> rx.Component:
    return rx.el.div(
        rx.el.div(
            rx.el.strong(clash.label, " was changed elsewhere"),
            rx.el.dl(
                rx.el.div(rx.el.dt("Now"), rx.el.dd(clash.theirs)),
                rx.el.div(rx.el.dt("Yours"), rx.el.dd(clash.mine)),
            ),
        ),
        rx.el.div(
            secondary_button("Keep yours", on_click=state.keep_mine(clash.box)),
            secondary_button("Take theirs", on_click=state.take_theirs(clash.box)),
            class_name="cs-clash-buttons",
        ),
        class_name="cs-clash",
        key=clash.box,
    )


def _is_end(step: WizardStep) -> rx.Var[bool]:
    """Return whether the step is the last: a draft ends with its start, any other where its campaign is resumed."""
    if after(step) is WizardStep.REVIEW:
        return ~WizardState.is_draft  # type: ignore[no-any-return]  # a Var of a truth value
    return rx.Var.create(after(step) is None)


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


def _header(step: WizardStep) -> rx.Component:
    name = choose(WizardState.name != "", WizardState.name, "New campaign")
    return page_header(
        as_text(name) + f": {LABELS[step]}",
        breadcrumbs=[Crumb("Campaigns", routes.campaigns(here()))],
        beside_title=[campaign_badge(WizardState.status)],
        actions=[
            rx.cond(
                WizardState.is_draft,
                rx.fragment(),
                link_button(
                    "Back to the campaign", icon="arrow-left", href=routes.campaign(here(), campaign_here())
                ),
            )
        ],
    )


def _stepper(current: WizardStep) -> rx.Component:
    done: dict[WizardStep, Flag] = {
        WizardStep.BASICS: WizardState.basics_done,
        WizardStep.MESSAGE: WizardState.message_done,
        WizardStep.CONTACTS: WizardState.contacts_done,
        WizardStep.PACE: WizardState.pace_done,
        WizardStep.REVIEW: False,
    }
    *steps, review = [StepLink(LABELS[step], address_of(step), done[step]) for step in WizardStep]
    label, words = LABELS[current], "Steps of the campaign"
    all_steps = stepper([*steps, review], current=label, label=words)
    if current is WizardStep.REVIEW:
        return all_steps
    return rx.fragment(rx.cond(WizardState.is_draft, all_steps, stepper(steps, current=label, label=words)))


def _unreadable() -> rx.Component:
    return rx.cond(
        WizardState.unreadable.length() > 0,
        banner(
            rx.el.ul(
                rx.foreach(WizardState.unreadable, lambda sentence: rx.el.li(sentence.to(str))),
                class_name="cs-wizard-list",
            ),
            rx.el.p("Until then nothing can be saved. They are shown at their default."),
            kind="warning",
            title="Some settings cannot be read",
            action=secondary_button("Set them to their default", on_click=WizardState.take_defaults),
        ),
    )


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

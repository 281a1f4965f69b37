"""The order of the steps, and which step has the box of which field."""

from collections.abc import Callable, Iterable
from enum import StrEnum
from functools import partial
from typing import Final

from app.web import routes
from app.web.pages.campaign.fields.boxes import setting_of
from app.web.pages.campaign.fields.form import BASICS, MESSAGE


class WizardStep(StrEnum):
    """One step, by the last part of its address."""

    BASICS = "basics"
    MESSAGE = "message"
    CONTACTS = "contacts"
    PACE = "pace"
    REVIEW = "review"


LABELS: Final = {
    WizardStep.BASICS: "Basics",
    WizardStep.MESSAGE: "Message",
    WizardStep.CONTACTS: "Contacts",
    WizardStep.PACE: "Pace and retries",
    WizardStep.REVIEW: "Review and start",
}

ADDRESSES: Final[dict[WizardStep, Callable[[routes.Slug, routes.Id], str]]] = {
    step: partial(routes.edit_step, step=step.value) for step in WizardStep
}

_ORDER: Final = tuple(WizardStep)


def before(step: WizardStep) -> WizardStep | None:
    """Return the step before this one; None before the first."""
    place = _ORDER.index(step)
    return _ORDER[place - 1] if place else None


def after(step: WizardStep) -> WizardStep | None:
    """Return the step after this one; None after the last."""
    rest = _ORDER[_ORDER.index(step) + 1 :]
    return rest[0] if rest else None


def step_of(field: str) -> WizardStep:
    """Return the step that has the box of a field, as the service names it."""
    setting = setting_of(field)
    if setting in BASICS:
        return WizardStep.BASICS
    if setting in MESSAGE:
        return WizardStep.MESSAGE
    return WizardStep.CONTACTS if field == "contacts" else WizardStep.PACE


def unfinished(fields: Iterable[str]) -> frozenset[WizardStep]:
    """Return the steps that have something to mend."""
    return frozenset(step_of(field) for field in fields)

"""The folded settings: the numbers of a pool, signs that pause, pilot and ramp, budget and share."""

from collections.abc import Callable, Mapping
from typing import Final

import reflex as rx

from app.domain.breaker import HANG_UP_SECONDS, BreakerPolicy
from app.domain.campaign import Channel
from app.domain.pool import NumberStrategy
from app.domain.ramp import STEPS
from app.services.campaigns.settings import DEFAULTS, CampaignSettings
from app.web.components import fold, folds, form_row
from app.web.pages.campaign.fields.basics import pool_size
from app.web.pages.campaign.fields.boxes import Fact
from app.web.pages.campaign.fields.drawing import Box, Editor, Tick, choice
from app.web.words import counted

_NUMBERS, _SAFETY = "Numbers", "Safety: stop on bad signs"
_PILOT, _BUDGET, _SHARE = "Pilot and ramp", "Budget", "Share"

_STRATEGIES: Final[Mapping[NumberStrategy, str]] = {
    NumberStrategy.ROUND_ROBIN: "In turn",
    NumberStrategy.LEAST_USED: "The one that called least in 24 hours",
    NumberStrategy.STICKY: "The one this contact saw last",
    NumberStrategy.LOCAL_PRESENCE: "One with the contact's area code",
}
_RAMP_WORDS: Final = ", ".join(f"{step}%" for step in STEPS[:-1])

_STRATEGY: Final = "number_strategy"
_OTHER_NUMBER: Final = Tick(
    "retry_other_number",
    "A retry shows another number",
    "Than the attempt before, when the pool has one that is free.",
)
_BREAKER: Final = "breaker"
_SIGNS: Final = (
    Box(f"{_BREAKER}.failure_rate", "Failures above", "Wrong numbers, rejected, carrier's errors.", unit="%"),
    Box(f"{_BREAKER}.refusal_rate", "Refusals above", "Turned down by the carrier.", unit="%"),
    Box(f"{_BREAKER}.opt_out_rate", "Opt-outs above", "People who ask not to be contacted again.", unit="%"),
)
_HANG_UPS: Final = Box(
    f"{_BREAKER}.hang_up_rate",
    "Hang-ups above",
    f"Who hung up within {HANG_UP_SECONDS} seconds, of who answered.",
    unit="%",
)
_IN_A_ROW: Final = Box(
    f"{_BREAKER}.refusals_in_a_row", "Refusals in a row", "For a cause that will not pass."
)
_SPAN: Final = (
    Box(f"{_BREAKER}.window", "Look at the last", "10 to 500.", unit="attempts"),
    Box(f"{_BREAKER}.minimum", "From so many on", "Fewer show nothing.", unit="attempts"),
)
_PILOT_SIZE: Final = Box(
    "pilot_size", "Pilot", "Contact so many, then pause and wait for you. 0 is no pilot.", unit="contacts"
)
_RAMP: Final = Tick(
    "ramp",
    "Guarded ramp",
    f"Contact {_RAMP_WORDS} of the people, then all: each step only if the rates above hold.",
)
_CAP: Final = Box(
    "budget_cap",
    "Budget cap",
    "In the currency of your carrier account. Calls in flight count with what they are likely to cost; "
    "at the cap nothing more is placed. Empty is no cap.",
    kind="text",
)
_WEIGHT: Final = Box(
    "weight",
    "Share",
    "1 to 100. When campaigns compete for your organization's calls at once, one with 2 gets twice as many "
    "as one with 1. None is left with nothing.",
)

_BOXES: Final = (*_SIGNS, _HANG_UPS, _IN_A_ROW, *_SPAN, _OTHER_NUMBER, _PILOT_SIZE, _RAMP, _CAP, _WEIGHT)
LABELS: Final[Mapping[str, str]] = {
    _STRATEGY: "Which number of the pool is shown",
    **{box.name: box.label for box in _BOXES},
}


def draw(editor: Editor) -> rx.Component:
    """Return the folded sections."""
    return folds(
        fold(_NUMBERS, editor.said(_NUMBERS), *_numbers(editor)),
        fold(_SAFETY, editor.said(_SAFETY), *_safety(editor)),
        fold(_PILOT, editor.said(_PILOT), _narrow(_PILOT_SIZE.draw(editor)), _RAMP.draw(editor)),
        fold(_BUDGET, editor.said(_BUDGET), _narrow(_CAP.draw(editor))),
        fold(_SHARE, editor.said(_SHARE), _narrow(_WEIGHT.draw(editor))),
    )


def summaries(settings: CampaignSettings) -> dict[str, str]:
    """Return section -> one line on what is set, for the section while it is folded."""
    return {title: said(settings) for title, said in _SAID.items()}


def facts(settings: CampaignSettings) -> list[Fact]:
    """Return every folded setting in words."""
    return [Fact(title.partition(":")[0], said) for title, said in summaries(settings).items()]


def _narrow(box: rx.Component) -> rx.Component:
    return rx.el.div(box, class_name="cs-fold-narrow")


def _numbers(editor: Editor) -> list[rx.Component]:
    strategies = [(strategy.value, words) for strategy, words in _STRATEGIES.items()]
    help_text = "For a pool of several numbers. Numbers that rest or have reached their cap are passed over."
    return [
        _narrow(choice(editor, _STRATEGY, LABELS[_STRATEGY], strategies, help_text)),
        _OTHER_NUMBER.draw(editor),
    ]


def _safety(editor: Editor) -> list[rx.Component]:
    return [
        rx.el.p(
            "The campaign is paused as soon as one of these is passed, and lists the attempts that show it. "
            "0 switches a sign off.",
            class_name="cs-help",
        ),
        form_row(*(sign.draw(editor) for sign in _SIGNS)),
        form_row(editor.for_calls(_HANG_UPS.draw(editor)), _IN_A_ROW.draw(editor)),
        form_row(*(box.draw(editor) for box in _SPAN)),
    ]


def _numbers_words(settings: CampaignSettings) -> str:
    size = pool_size(settings)
    if not size:
        return "One number for everybody: there is no pool"
    words = f"{counted(size, 'number', 'numbers')}: {_STRATEGIES[settings.number_strategy].lower()}"
    return f"{words}; a retry shows another" if getattr(settings, _OTHER_NUMBER.name) else words


def _safety_words(settings: CampaignSettings) -> str:
    signs = _signs(settings.breaker, settings.channel)
    return f"Pauses above {', '.join(signs)}" if signs else "Off: no sign pauses it"


def _signs(policy: BreakerPolicy, channel: Channel) -> list[str]:
    rates = [
        (policy.failure_rate, "failures"),
        (policy.refusal_rate, "refusals"),
        (policy.opt_out_rate, "opt-outs"),
        (policy.hang_up_rate if channel is Channel.CALL else 0, "hang-ups"),
    ]
    signs = [f"{rate:g}% {sign}" for rate, sign in rates if rate]
    row = policy.refusals_in_a_row
    return [*signs, f"or at {counted(row, 'refusal', 'refusals')} in a row"] if row else signs


def _pilot_words(settings: CampaignSettings) -> str:
    act = "Texts" if settings.channel is Channel.SMS else "Dials"
    size = settings.pilot_size
    pilot = f"{act} {size:,}, then waits for you" if size else ""
    if not settings.ramp:
        return pilot or "Everybody from the start"
    return (
        f"{pilot}; after that {_RAMP_WORDS}, then all"
        if pilot
        else f"{_RAMP_WORDS}, then all, while the rates hold"
    )


def _budget_words(settings: CampaignSettings) -> str:
    cap = settings.budget_cap
    return f"At most {cap:,f}, calls in flight counted" if cap is not None else "No cap"


def _share_words(settings: CampaignSettings) -> str:
    if settings.weight == DEFAULTS.weight:
        return "The same as other campaigns"
    return f"{settings.weight} times that of a campaign with a share of {DEFAULTS.weight}"


_SAID: Final[Mapping[str, Callable[[CampaignSettings], str]]] = {
    _NUMBERS: _numbers_words,
    _SAFETY: _safety_words,
    _PILOT: _pilot_words,
    _BUDGET: _budget_words,
    _SHARE: _share_words,
}

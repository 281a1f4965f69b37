"""How often and when somebody who was not reached is tried again."""

import re
from collections.abc import Mapping
from typing import Any, Final

import reflex as rx

from app.domain.campaign import Channel
from app.domain.retry import DISPOSITIONS_OF, RetryOutcome
from app.services.campaigns.setting_readers import LONGEST_RETRY_DELAY_MINUTES
from app.services.campaigns.settings import CampaignSettings, delays_of
from app.web.components import fold, folds, form_row
from app.web.pages.campaign.fields.boxes import ON, Fact, Spelling, Texts, listed, ticked
from app.web.pages.campaign.fields.drawing import Box, Editor, Tick, fields, pill, pills
from app.web.words import counted

OUTCOMES: Final[Mapping[RetryOutcome, str]] = {
    RetryOutcome.NO_ANSWER: "No answer",
    RetryOutcome.BUSY: "Busy",
    RetryOutcome.FAILED: "Failed",
    RetryOutcome.VOICEMAIL: "Voicemail",
}
SECTION: Final = "Waits by outcome"

_ATTEMPTS: Final = Box(
    "max_attempts",
    "Attempts in all",
    "The first one counts: 3 is one try and two retries. More than 3 annoys people.",
    bounded=True,
)
_ONE_WAIT: Final = "retry_delay_minutes"
_WAITS: Final = Box(
    "retry_delays",
    "Wait before a retry",
    "Minutes, or a list such as 30, 60, 120: the last one holds for all retries that follow. "
    f"At most {LONGEST_RETRY_DELAY_MINUTES:,}.",
    kind="text",
    unit="minutes",
    paths=("retry_delays", _ONE_WAIT),
)
_RETRIED: Final = "retry_on"
_OWN_WAITS: Final = "retry_delays_by_outcome"
_DOUBLED: Final = Tick(
    "retry_back_off",
    "Double the wait past the end of a list",
    "After 30, 60: then 120, 240 minutes, and so on, up to 30 days.",
)

LABELS: Final[Mapping[str, str]] = {
    _RETRIED: "Retry after",
    _ONE_WAIT: _WAITS.label,
    **{box.name: box.label for box in (_ATTEMPTS, _WAITS, _DOUBLED)},
    **{f"{_OWN_WAITS}.{outcome}": f"After “{words.lower()}”" for outcome, words in OUTCOMES.items()},
}


def draw(editor: Editor) -> rx.Component:
    """Return the boxes, those of waits that differ by outcome folded away."""
    outcomes = (pill(f"{_RETRIED}.{outcome}", words) for outcome, words in OUTCOMES.items())
    own = (_of_channel(editor, outcome, _own_waits(outcome).draw(editor)) for outcome in RetryOutcome)
    return fields(
        form_row(_ATTEMPTS.draw(editor), _WAITS.draw(editor)),
        pills(
            editor,
            _RETRIED,
            LABELS[_RETRIED],
            "Whoever was reached, opted out or has an invalid number is never tried again.",
            *(_of_channel(editor, outcome, tick) for outcome, tick in zip(OUTCOMES, outcomes, strict=True)),
        ),
        folds(
            fold(
                SECTION,
                editor.said(SECTION),
                rx.el.p(
                    "Minutes or a list, for outcomes that should wait otherwise; left empty, they wait as "
                    "above.",
                    class_name="cs-help",
                ),
                rx.el.div(*own, class_name="cs-fold-pairs"),
                _DOUBLED.draw(editor),
            )
        ),
    )


def _own_waits(outcome: RetryOutcome) -> Box:
    name = f"{_OWN_WAITS}.{outcome}"
    return Box(name, LABELS[name], kind="text", unit="minutes")


def _of_channel(editor: Editor, outcome: RetryOutcome, box: rx.Component) -> rx.Component:
    """Return the box of an outcome where it can come: a text message can only fail."""
    return box if outcome is RetryOutcome.FAILED else editor.for_calls(box)


def _retry_texts(settings: CampaignSettings) -> Texts:
    boxes = {f"{_RETRIED}.{outcome}": ON for outcome in RetryOutcome if _is_retried(outcome, settings)}
    # What no box is for stays: it is a hidden box of its own.
    covered = frozenset[str]().union(*DISPOSITIONS_OF.values())
    others = (each for each in settings.retry_on if each not in covered)
    return boxes | {f"{_RETRIED}.{each}": ON for each in others}


def _is_retried(outcome: RetryOutcome, settings: CampaignSettings) -> bool:
    return not DISPOSITIONS_OF[outcome].isdisjoint(settings.retry_on)


def _wait_changes(texts: Texts) -> dict[str, Any]:
    """Return one wait, or a list of them, as the two settings they are."""
    text = texts.get(_WAITS.name, "").strip()
    if re.search(r"[\s,;]", text):
        return {_WAITS.name: text}
    return {_ONE_WAIT: text, _WAITS.name: []}


SPELLINGS: Final[Mapping[str, Spelling]] = {
    _ONE_WAIT: Spelling(lambda _: {}, lambda _: {}),
    _WAITS.name: Spelling(lambda settings: {_WAITS.name: listed(delays_of(settings))}, _wait_changes),
    _RETRIED: Spelling(_retry_texts, lambda texts: {_RETRIED: ticked(_RETRIED, texts)}),
}


def facts(settings: CampaignSettings) -> list[Fact]:
    """Return in words who is tried again, and how long they wait."""
    if settings.max_attempts == 1:
        return [Fact(_ATTEMPTS.label, "1 attempt, no retry")]
    attempts = Fact(_ATTEMPTS.label, counted(settings.max_attempts, "attempt", "attempts"))
    outcomes = [RetryOutcome.FAILED] if settings.channel is Channel.SMS else list(OUTCOMES)
    retried = ", ".join(OUTCOMES[one] for one in outcomes if _is_retried(one, settings)) or "Nothing"
    return [attempts, *_wait_facts(settings), Fact(LABELS[_RETRIED], retried)]


def summary(settings: CampaignSettings) -> str:
    """Return in one line what is set in the folded section."""
    doubled = "doubling past the end of a list" if settings.retry_back_off else ""
    return ", ".join(filter(None, (_by_outcome(settings), doubled)))


def _wait_facts(settings: CampaignSettings) -> list[Fact]:
    words = _spoken(delays_of(settings))
    words = f"{words}, then twice the wait before each time" if settings.retry_back_off else words
    waits = Fact(_WAITS.label, words)
    if not settings.retry_delays_by_outcome:
        return [waits]
    return [waits, Fact("By outcome", _by_outcome(settings))]


def _by_outcome(settings: CampaignSettings) -> str:
    lists = settings.retry_delays_by_outcome
    own = [
        f"{words.lower()} {_spoken(lists[outcome])}"
        for outcome, words in OUTCOMES.items()
        if outcome in lists
    ]
    words = "; ".join(own) if own else "the same after every outcome"
    return words[0].upper() + words[1:]


def _spoken(delays: tuple[int, ...]) -> str:
    *first, last = [f"{delay:,}" for delay in delays]
    unit = "minute" if last == "1" else "minutes"
    return f"{', '.join(first)}, then {last} {unit}" if first else f"{last} {unit}"

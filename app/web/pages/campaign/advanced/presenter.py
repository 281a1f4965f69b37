"""The finer settings as the texts of a form, as the changes a form asks for, and in words."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from app.domain.breaker import RANGES, BreakerPolicy
from app.domain.campaign import Channel
from app.domain.pool import NumberStrategy
from app.domain.ramp import STEPS
from app.domain.retry import RetryOutcome
from app.services.campaigns.settings import CampaignSettings, delays_of
from app.web.forms import ticked, written
from app.web.words import counted

OUTCOMES: Final[Mapping[RetryOutcome, str]] = {
    RetryOutcome.NO_ANSWER: "No answer",
    RetryOutcome.BUSY: "Busy",
    RetryOutcome.FAILED: "Failed",
    RetryOutcome.VOICEMAIL: "Voicemail",
}
STRATEGIES: Final[Mapping[NumberStrategy, str]] = {
    NumberStrategy.ROUND_ROBIN: "In turn",
    NumberStrategy.LEAST_USED: "The one that called least in 24 hours",
    NumberStrategy.STICKY: "The one this contact saw last",
    NumberStrategy.LOCAL_PRESENCE: "One with the contact's area code",
}

DELAYS: Final = "delays_"
"""Before an outcome: the box of its own waits."""
BREAKER: Final = "breaker_"
"""Before a limit of the breaker: its box."""
ON: Final = "on"

_DEFAULT_WEIGHT: Final = 1


@dataclass(frozen=True, slots=True)
class Fact:
    """One setting in words."""

    label: str
    value: str


def finer_values(settings: CampaignSettings) -> dict[str, str]:
    """Return what stands in each box at first; a box to tick has "on" or nothing."""
    lists, cap = settings.retry_delays_by_outcome, settings.budget_cap
    return {
        "retry_delays": _minutes(delays_of(settings)),
        **{DELAYS + outcome: _minutes(lists.get(outcome, ())) for outcome in RetryOutcome},
        **{BREAKER + name: f"{value:g}" for name, value in settings.breaker.to_json().items()},
        "retry_back_off": ON if settings.retry_back_off else "",
        "retry_other_number": ON if settings.retry_other_number else "",
        "number_strategy": settings.number_strategy.value,
        "pilot_size": str(settings.pilot_size),
        "ramp": ON if settings.ramp else "",
        "budget_cap": f"{cap:f}" if cap is not None else "",
        "weight": str(settings.weight),
    }


def finer_changes(form: Mapping[str, Any], before: Mapping[str, str]) -> dict[str, Any]:
    """Return the settings the form asks for. What it has no box for stays as it was `before`."""
    changes: dict[str, Any] = {
        name: written(form, name)
        for name in ("number_strategy", "pilot_size", "budget_cap", "weight")
        if name in form
    }
    if "retry_delays" in form:
        changes |= _delays_asked(written(form, "retry_delays"))
    if any(name.startswith(DELAYS) for name in form):
        texts = {outcome: _text(form, before, DELAYS + outcome) for outcome in RetryOutcome}
        changes["retry_delays_by_outcome"] = texts
        changes["retry_back_off"] = ticked(form, "retry_back_off")
    if any(name.startswith(BREAKER) for name in form):
        changes["breaker"] = {name: _text(form, before, BREAKER + name) for name in RANGES}
    if "number_strategy" in form:
        changes["retry_other_number"] = ticked(form, "retry_other_number")
    if "pilot_size" in form:
        changes["ramp"] = ticked(form, "ramp")
    return changes


def summaries(settings: CampaignSettings) -> dict[str, str]:
    """Return section -> one line on what is set, for the section while it is folded."""
    return {title: said(settings) for title, said in _SAID.items()}


def finer_facts(settings: CampaignSettings) -> list[Fact]:
    """Return every finer setting in words, but for those of retries."""
    return [
        Fact(title.partition(":")[0], said(settings)) for title, said in _SAID.items() if title != RETRIES
    ]


def retry_facts(settings: CampaignSettings) -> list[Fact]:
    """Return how long a retry waits, in words."""
    waits = Fact("Wait before a retry", waits_words(settings))
    return [waits, Fact("By outcome", waits_by_outcome(settings))] if _has_own_waits(settings) else [waits]


def waits_words(settings: CampaignSettings) -> str:
    """Return "30 minutes", or "30, 60, then 120 minutes" for a list."""
    words = _spoken(delays_of(settings))
    return f"{words}, then twice the wait before each time" if settings.retry_back_off else words


def waits_by_outcome(settings: CampaignSettings) -> str:
    """Return "The same after every outcome", or which outcomes have waits of their own."""
    lists = settings.retry_delays_by_outcome
    own = [
        f"{words.lower()} {_spoken(lists[outcome])}"
        for outcome, words in OUTCOMES.items()
        if outcome in lists
    ]
    words = "; ".join(own) if own else "the same after every outcome"
    return words[0].upper() + words[1:]


def _has_own_waits(settings: CampaignSettings) -> bool:
    return bool(settings.retry_delays_by_outcome)


def _retries(settings: CampaignSettings) -> str:
    doubled = "doubling past the end of a list" if settings.retry_back_off else ""
    return ", ".join(filter(None, (waits_by_outcome(settings), doubled)))


def _numbers(settings: CampaignSettings) -> str:
    size = len(settings.number_pool)
    if not size:
        return "One number for everybody: there is no pool"
    words = f"{size} number{'s' * (size != 1)}: {STRATEGIES[settings.number_strategy].lower()}"
    return f"{words}; a retry shows another" if settings.retry_other_number else words


def _safety(settings: CampaignSettings) -> str:
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


def _pilot(settings: CampaignSettings) -> str:
    act = "Texts" if settings.channel is Channel.SMS else "Dials"
    pilot = f"{act} {settings.pilot_size:,}, then waits for you" if settings.pilot_size else ""
    if not settings.ramp:
        return pilot or "Everybody from the start"
    steps = ", ".join(f"{share}%" for share in STEPS[:-1])
    return f"{pilot}; after that {steps}, then all" if pilot else f"{steps}, then all, while the rates hold"


def _budget(settings: CampaignSettings) -> str:
    cap = settings.budget_cap
    return f"At most {cap:,f}, calls in flight counted" if cap is not None else "No cap"


def _share(settings: CampaignSettings) -> str:
    if settings.weight == _DEFAULT_WEIGHT:
        return "The same as other campaigns"
    return f"{settings.weight} times that of a campaign with a share of {_DEFAULT_WEIGHT}"


RETRIES, NUMBERS, SAFETY = "Waits by outcome", "Numbers", "Safety: stop on bad signs"
PILOT, BUDGET, SHARE = "Pilot and ramp", "Budget", "Share"

_SAID: Final[Mapping[str, Callable[[CampaignSettings], str]]] = {
    RETRIES: _retries,
    NUMBERS: _numbers,
    SAFETY: _safety,
    PILOT: _pilot,
    BUDGET: _budget,
    SHARE: _share,
}


def _delays_asked(text: str) -> dict[str, Any]:
    """Return one wait, or a list of them, as the two settings they are."""
    if re.search(r"[\s,;]", text):
        return {"retry_delays": text}
    return {"retry_delay_minutes": text, "retry_delays": []}


def _text(form: Mapping[str, Any], before: Mapping[str, str], name: str) -> str:
    return written(form, name) if name in form else before.get(name, "")


def _minutes(delays: tuple[int, ...]) -> str:
    return ", ".join(map(str, delays))


def _spoken(delays: tuple[int, ...]) -> str:
    *first, last = [f"{delay:,}" for delay in delays]
    unit = "minute" if last == "1" else "minutes"
    return f"{', '.join(first)}, then {last} {unit}" if first else f"{last} {unit}"

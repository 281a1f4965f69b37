"""Compares the witnesses after a fault run: our rows, the carrier's ledger, what was acknowledged, the page.

`doctor --deep`, which recounts by itself, must come to the same verdict.

A violation is a sentence that begins with the invariant it breaks (I1 to I11 of the reliability contract). It is
counted over everything the world ever did, not only the last campaign.
"""

from collections.abc import Callable, Iterator
from typing import Final

from app.cli.deep import recounted
from app.providers.registry import configured_account
from app.providers.twilio.webhooks import TwilioWebhooks
from tests.faults.evidence import Evidence, gather
from tests.faults.harness import World
from tests.faults.invariants.accounts import (
    budgets_held,
    everybody_is_somewhere,
    one_call_per_attempt,
    outcomes_agree,
    pages_agree,
)
from tests.faults.invariants.histories import (
    acknowledged_survived,
    any_order_is_the_same,
    histories_chain,
    one_call_at_a_time,
)
from tests.faults.invariants.limits import concurrency_held, hours_held, nothing_after_a_stop, rates_held

_INVARIANTS: Final[tuple[Callable[[Evidence], Iterator[str]], ...]] = (
    one_call_per_attempt,
    everybody_is_somewhere,
    outcomes_agree,
    pages_agree,
    concurrency_held,
    rates_held,
    hours_held,
    nothing_after_a_stop,
    budgets_held,
    one_call_at_a_time,
    histories_chain,
    acknowledged_survived,
)


async def violations(world: World) -> list[str]:
    """Return every violation, in words; empty when nobody was lost or called twice and every count agrees."""
    evidence = await gather(world)
    found = [sentence for invariant in _INVARIANTS for sentence in invariant(evidence)]
    webhooks = TwilioWebhooks(configured_account(world.settings))
    return [*found, *any_order_is_the_same(evidence, webhooks), *await _doctor_finds(world)]


async def _doctor_finds(world: World) -> list[str]:
    """Return what `callsheet doctor --deep` says of the same installation."""
    verdicts = await recounted(world.settings, world.environment, days=1)
    return [f"I3: doctor --deep: {name}: {problem}" for name, _, problems in verdicts for problem in problems]

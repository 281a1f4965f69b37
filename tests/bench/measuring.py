"""What all benchmarks share: percentiles, and the one line they end with."""

import os
import statistics
from collections.abc import Sequence
from typing import Any

Figures = dict[str, Any]
"""One benchmark's result: the line of JSON."""


def figures(
    name: str,
    *,
    ratio: float,
    product: float,
    yardstick: float,
    unit: str,
    goal: str,
    met: bool,
    **more: Any,
) -> Figures:
    """Return the result. `goal` is its sentence, `met` whether it is kept; the machine's load is noted."""
    return {
        "name": name,
        "ratio": round(ratio, 3),
        "product": round(product, 3),
        "yardstick": round(yardstick, 3),
        "unit": unit,
        "goal": goal,
        "met": met,
        **more,
        "load": [round(load, 1) for load in os.getloadavg()],
    }


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value that this percent of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(len(ordered) * percent / 100 + 0.5) - 1))]


def median(values: Sequence[float]) -> float:
    """Return the middle value."""
    return statistics.median(values)

"""Calls per second: calls above the rate wait in the carrier's queue."""

from app.simulator.clock import SimulatedClock


class CallRate:
    """Lets `calls_per_second` calls start in each carrier second, in the order of their requests."""

    def __init__(self, clock: SimulatedClock, calls_per_second: float) -> None:
        self._clock = clock
        self._free_at = 0.0
        self.set_rate(calls_per_second)

    @property
    def calls_per_second(self) -> float:
        """The current rate."""
        return self._rate

    def set_rate(self, calls_per_second: float) -> None:
        """Set the rate for the next calls; earlier ones keep their turn. Raises `ValueError` unless above zero."""
        if not calls_per_second > 0:
            raise ValueError(f"calls_per_second must be above zero, not {calls_per_second}")
        self._rate = calls_per_second

    def take_turn(self) -> float:
        """Take the next turn; return how many carrier seconds until then."""
        now = self._clock.elapsed()
        turn = max(now, self._free_at)
        self._free_at = turn + 1 / self._rate
        return turn - now

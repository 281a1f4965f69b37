"""Rate limits in memory, for each web process separately.

They protect against load, so they work without Redis and without a round trip. Wrong passwords are counted in the
database instead: `app.services.access.sign_in`.
"""

from collections import Counter, OrderedDict, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from app.domain.quotas import Quota, QuotaStanding, Used, use
from app.runtime.clock import Clock

_MOST_REMEMBERED: Final = 50_000
"""The most clients remembered for one quota. Beyond that, the one not seen for the longest time is forgotten."""


class Full(Exception):
    """The limit of `Quotas.holding` is reached."""


class Quotas:
    """The used quotas of all clients."""

    def __init__(self, clock: Clock, *, most_remembered: int = _MOST_REMEMBERED) -> None:
        self._clock = clock
        self._most = most_remembered
        self._used: defaultdict[str, OrderedDict[str, Used]] = defaultdict(OrderedDict)
        self._held: Counter[tuple[str, str]] = Counter()

    def use(self, quota: Quota, who: object) -> QuotaStanding:
        """Use a client's quota once, and return the result."""
        of_all, name = self._used[quota.name], str(who)
        of_all[name], standing = use(quota, of_all.get(name, Used()), now=self._clock.boottime())
        of_all.move_to_end(name)
        if len(of_all) > self._most:
            of_all.popitem(last=False)
        return standing

    @contextmanager
    def holding(self, what: str, who: object, *, most: int) -> Iterator[None]:
        """Hold one of the `most` that a client may have at the same time. Raises `Full`."""
        held = (what, str(who))
        if self._held[held] >= most:
            raise Full
        self._held[held] += 1
        try:
            yield
        finally:
            self._held[held] -= 1
            if not self._held[held]:
                del self._held[held]

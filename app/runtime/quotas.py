"""How often each somebody has done something of late, in this process: what limits rates counts here.

In memory, and so by each web process for itself. These limits are against load: they must work without Redis, and
cost a request no round trip. What guards passwords is counted in the database: `app.services.access.sign_in`.
"""

from collections import Counter, OrderedDict, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from app.domain.quotas import Quota, QuotaStanding, Used, use
from app.runtime.clock import Clock

_MOST_REMEMBERED: Final = 50_000
"""Of one quota: then who was not seen for the longest time is forgotten, so that memory has a bound."""


class Full(Exception):
    """There is no room for one more."""


class Quotas:
    """What has been used of which quota by whom."""

    def __init__(self, clock: Clock, *, most_remembered: int = _MOST_REMEMBERED) -> None:
        self._clock = clock
        self._most = most_remembered
        self._used: defaultdict[str, OrderedDict[str, Used]] = defaultdict(OrderedDict)
        self._held: Counter[tuple[str, str]] = Counter()

    def use(self, quota: Quota, who: object) -> QuotaStanding:
        """Use somebody's quota once, and return where they stand with it then."""
        of_all, name = self._used[quota.name], str(who)
        of_all[name], standing = use(quota, of_all.get(name, Used()), now=self._clock.boottime())
        of_all.move_to_end(name)
        if len(of_all) > self._most:
            of_all.popitem(last=False)
        return standing

    @contextmanager
    def holding(self, what: str, who: object, *, most: int) -> Iterator[None]:
        """Hold one of the `most` that somebody may have at a time. Raises `Full`."""
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

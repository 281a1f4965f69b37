"""Lists: what one is asked for, as a value that stands in the page's address, and the handlers that change it.

A list says its own filters (a `ListQuery`), how it reads a page of rows (`_read`) and how a row is worded. Its state
is a `PagedList`, a `SearchedList` or a `SortedList`: no list has a handler that its page does not use.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import Field, asdict, dataclass, field, fields, replace
from typing import Any, ClassVar, Final, Self
from urllib.parse import urlencode

import reflex as rx
from reflex.event import EventSpec

from app.domain.rights import Right
from app.services.live_hub import Watched, watch
from app.services.paging import Page
from app.web import routes
from app.web.guard import PageState, guarded, still_allowed
from app.web.visit import Visit
from app.web.words import page_range

ALL: Final = "all"
"""The word of a filter that hides nothing."""
LONGEST_SEARCH: Final = 200
_ROW_ID: Final = re.compile(r"[1-9][0-9]{0,8}")


def _is_row_id(text: str) -> bool:
    return _ROW_ID.fullmatch(text) is not None


def word_filter(words: Iterable[str], *, usual: str = ALL, narrows: bool = True) -> Any:
    """Return the field of a filter that takes one of `words`; `narrows`: it may hide rows."""
    known = frozenset(words) | {usual}
    return field(default=usual, metadata={"fits": known.__contains__, "narrows": narrows})


def id_filter(*, narrows: bool = True) -> Any:
    """Return the field of a filter that takes the id of a row, or `ALL`; `narrows`: it may hide rows."""
    return field(default=ALL, metadata={"fits": _is_row_id, "narrows": narrows})


def number_in(text: str) -> int | None:
    """Return the number that an `id_filter` has; None for `ALL`."""
    return int(text) if _is_row_id(text) else None


@dataclass(frozen=True, slots=True)
class ListQuery:
    """What a list is asked for. A list's own filters are further fields, texts as the address holds them."""

    search: str = ""
    sort: str = ""
    descending: bool = False
    page: int = 1

    SORTS: ClassVar[Mapping[str, bool]] = {}
    """What the list may be sorted by -> whether that begins with the greatest."""
    NUMBERED: ClassVar[bool] = True
    """A page can be asked for by its number, and so stands in the address."""

    @classmethod
    def read(cls, parameters: Mapping[str, str]) -> Self:
        """Read an address's parameters; what makes no sense is left out."""
        asked: dict[str, Any] = {"search": parameters.get("search", "")[:LONGEST_SEARCH]}
        for one in cls._filters():
            if one.metadata["fits"](parameters.get(one.name, "")):
                asked[one.name] = parameters[one.name]
        if parameters.get("sort") in cls.SORTS:
            asked["sort"] = parameters["sort"]
        if cls.SORTS and parameters.get("descending") in {"True", "False"}:
            asked["descending"] = parameters["descending"] == "True"
        if cls.NUMBERED and _is_row_id(parameters.get("page", "")):
            asked["page"] = int(parameters["page"])
        return cls(**asked)

    @property
    def is_filtered(self) -> bool:
        """Whether it may hide a row."""
        narrowing = [one for one in self._filters() if one.metadata["narrows"]]
        return bool(self.search.strip()) or any(getattr(self, one.name) != one.default for one in narrowing)

    def filtered(self, name: str, value: str) -> Self:
        """Return it with one filter set; a value that makes no sense lifts it, a name without sense does nothing."""
        for one in self._filters():
            if one.name == name:
                page = 1 if one.metadata["narrows"] else self.page
                changed: dict[str, Any] = {name: value if one.metadata["fits"](value) else one.default}
                return replace(self, page=page, **changed)
        return self

    def sorted_by(self, key: str) -> Self:
        """Return it sorted by a column; by the same once more, the other way round."""
        key = key if key in self.SORTS else self._usual().sort
        descending = not self.descending if key == self.sort else self.SORTS[key]
        return replace(self, sort=key, descending=descending, page=1)

    def cleared(self) -> Self:
        """Return it without search and filters; the order stays."""
        narrowing: dict[str, Any] = {
            one.name: one.default for one in self._filters() if one.metadata["narrows"]
        }
        return replace(self, search="", page=1, **narrowing)

    def address(self) -> str:
        """Return what differs from the usual as an address ends with it: "?search=flu&page=2", or nothing."""
        return self._ending(() if self.NUMBERED else ("page",))

    def filters(self) -> str:
        """Return search and filters as the address of the list's download ends with them."""
        return self._ending(("sort", "descending", "page"))

    def _ending(self, without: Iterable[str]) -> str:
        usual = asdict(self._usual())
        asked = {name: value for name, value in asdict(self).items() if value != usual[name]}
        return ending({name: value for name, value in asked.items() if name not in without})

    @classmethod
    def _usual(cls) -> Self:
        # In a state `type(self)` would be Reflex's proxy.
        return cls()

    @classmethod
    def _filters(cls) -> list[Field[Any]]:
        return [one for one in fields(cls) if "fits" in one.metadata]


@dataclass(frozen=True, slots=True)
class Rows:
    """What one reading of a list gives."""

    rows: list[Any]
    total: int
    """How many match."""
    pages: int
    range_text: str

    @classmethod
    def of(cls, found: Page[Any], rows: list[Any], one: str, many: str) -> Self:
        """Return a page's worded rows; `one` and `many` name them: "contact", "contacts"."""
        return cls(rows, found.total, found.pages, page_range(found, one, many))


class PagedList(PageState, mixin=True):
    """A list whose page stands in the address. Each declares `query` and `rows` anew, with its own types."""

    query: rx.Field[Any] = rx.field(default_factory=ListQuery)
    rows: rx.Field[list[Any]] = rx.field(default_factory=list)
    total: rx.Field[int] = rx.field(0)
    """How many match."""
    pages: rx.Field[int] = rx.field(1)
    range_text: rx.Field[str] = rx.field("")

    @guarded(Right.VIEW)
    async def load(self, visit: Visit) -> AsyncIterator[None]:
        """Show what the address asks for."""
        self.loading, self.problem, self.rows = True, "", []
        self._ask(self.query.read(routes.asked(self.router.url.query_parameters)))
        self._begin()
        yield
        await self._fill(visit)
        self.loading = False

    @guarded(Right.VIEW, supersedes=True)
    async def turn_page(self, visit: Visit, by: int) -> EventSpec:
        """Go to a neighbouring page."""
        page = min(max(1, self.query.page + by), self.pages)
        return await self._turn_to(visit, replace(self.query, page=page))

    def _begin(self) -> None:
        """Put away what an earlier visit left open."""

    async def _fill(self, visit: Visit) -> None:
        """Read all that the page shows."""
        await self._refresh(visit)

    async def _read(self, visit: Visit, query: Any) -> Any:
        """Return the `Rows` that answer; it writes nothing into the state."""
        raise NotImplementedError

    def _ask(self, query: Any) -> None:
        self.query = query

    def _show(self, found: Any) -> None:
        self.rows, self.total, self.pages = found.rows, found.total, found.pages
        self.range_text = found.range_text

    async def _turn_to(self, visit: Visit, query: Any) -> EventSpec:
        """Show another page, and say so in the address."""
        self._ask(query)
        await self._refresh(visit)
        return put_in_address(self.router.url.path, self.query.address())

    async def _refresh(self, visit: Visit) -> None:
        """Read the page on show again; the last one, if there are fewer pages now."""
        found = await self._read(visit, self.query)
        if self.query.page > found.pages:
            self._ask(replace(self.query, page=found.pages))
            found = await self._read(visit, self.query)
        self._show(found)

    async def _follow(
        self,
        visit: Visit,
        watched: Watched,
        look: Callable[[], Awaitable[Any]],
        *,
        every: float,
        besides: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Read the page on show, and what is shown `besides`, again at each change, at most `every` so many seconds.

        For a handler in the background. It ends when the page is left or `look` raises `NotFound`.
        """
        async for _ in watch(watched, look, check=still_allowed(self, Right.VIEW)):
            async with self:
                query = self.query
            found = await self._read(visit, query)
            async with self:
                if self.query == query and not self.problem:
                    self._show(found)
            if besides is not None:
                await besides()
            await asyncio.sleep(every)


class SearchedList(PagedList, mixin=True):
    """A list with a search box and filters."""

    is_filtered: rx.Field[bool] = rx.field(False)
    filters: rx.Field[str] = rx.field("")
    """As the address of the list's download ends with them."""

    @guarded(Right.VIEW, supersedes=True)
    async def find(self, visit: Visit, search: str) -> EventSpec:
        """Search the list."""
        return await self._turn_to(visit, replace(self.query, search=search[:LONGEST_SEARCH], page=1))

    @guarded(Right.VIEW, supersedes=True)
    async def filter_by(self, visit: Visit, name: str, value: str) -> EventSpec:
        """Set one of the filters."""
        return await self._turn_to(visit, self.query.filtered(name, value))

    @guarded(Right.VIEW, supersedes=True)
    async def clear(self, visit: Visit) -> EventSpec:
        """Lift search and filters."""
        return await self._turn_to(visit, self.query.cleared())

    def _ask(self, query: Any) -> None:
        self.query, self.is_filtered, self.filters = query, query.is_filtered, query.filters()


class SortedList(SearchedList, mixin=True):
    """A list whose columns sort it."""

    @guarded(Right.VIEW, supersedes=True)
    async def sort_by(self, visit: Visit, key: str) -> EventSpec:
        """Sort by a column; once more turns it round."""
        return await self._turn_to(visit, self.query.sorted_by(key))


def ending(parameters: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> str:
    """Return "?a=b&c=d", or nothing without parameters; commas and colons stay as they are."""
    asked = urlencode(
        list(parameters.items()) if isinstance(parameters, Mapping) else list(parameters), safe=",:"
    )
    return f"?{asked}" if asked else ""


def put_in_address(path: str, parameters: str) -> EventSpec:
    """Return the event that puts "?a=b", or nothing, behind the address without loading it anew.

    It does nothing when another page than `path` is shown by now.
    """
    # A bare "?" would stay behind, so the path stands before the parameters.
    return rx.call_script(
        f"window.location.pathname.replace(/[/]+$/, '') === {json.dumps(path.rstrip('/'))} && "
        "window.history.replaceState(window.history.state, '', "
        f"window.location.pathname + {json.dumps(parameters)})"
    )

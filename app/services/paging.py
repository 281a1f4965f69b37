"""One page of a list."""

from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")

MAX_PAGE_SIZE = 100


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Some of a list's items and how many there are in all."""

    items: list[Item]
    total: int
    page: int
    page_size: int

    @property
    def pages(self) -> int:
        """Return how many pages there are; at least 1."""
        return max(1, -(-self.total // self.page_size))


def offset_of(page: int, page_size: int) -> tuple[int, int]:
    """Return (offset, limit) for a page number from 1; both are limited to sensible values."""
    size = max(1, min(page_size, MAX_PAGE_SIZE))
    return (max(1, page) - 1) * size, size

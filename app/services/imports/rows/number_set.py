"""The set of a file's numbers so far: a million take 16 MB, a Python set would take 90 MB."""

from array import array
from collections.abc import Iterable
from typing import Final

_SMALLEST: Final = 1 << 12
_SPREAD: Final = 0x9E3779B97F4A7C15
"""The golden ratio's bits: they spread neighbouring numbers over the table."""


class SeenNumbers:
    """A set of E.164 numbers as integers: a hash table with open addressing, where 0 is an empty slot."""

    def __init__(self) -> None:
        self._places = array("Q", bytes(8 * _SMALLEST))
        self._mask = _SMALLEST - 1
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, number: int) -> bool:
        """Add a number; tell whether it is new."""
        indexes, mask = self._places, self._mask
        index = (number * _SPREAD >> 20) & mask
        while known := indexes[index]:
            if known == number:
                return False
            index = (index + 1) & mask
        indexes[index] = number
        self._count += 1
        if self._count * 3 > mask * 2:
            self._grow()
        return True

    def update(self, numbers: Iterable[int]) -> None:
        """Add many numbers."""
        for number in numbers:
            self.add(number)

    def _grow(self) -> None:
        old, size = self._places, 2 * len(self._places)
        indexes, mask = array("Q", bytes(8)) * size, size - 1
        for number in old:
            if number:
                index = (number * _SPREAD >> 20) & mask
                while indexes[index]:
                    index = (index + 1) & mask
                indexes[index] = number
        self._places, self._mask = indexes, mask

"""What a tab was given to show in its boxes: by it is known what something was typed over."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

_VERSIONS_KEPT: Final = 20
"""Of each box. Text typed over an older version always counts as a clash."""


@dataclass(frozen=True, slots=True)
class GivenTexts:
    """The boxes' texts, each with the version in which the browser got it. A box without a version is empty."""

    version: int = 0
    """The newest of all."""
    texts: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    """Box -> version -> its text then."""
    taken: Mapping[str, str] = field(default_factory=dict)
    """Box -> what was typed in it, where its newest version came of that."""
    forced: Mapping[str, int] = field(default_factory=dict)
    """Box -> the version that replaces whatever is typed in it."""

    def newest(self, box: str) -> str:
        """Return what a box was given last."""
        known = self.texts.get(box)
        return known[max(known)] if known else ""

    def at(self, box: str, version: int | None) -> str | None:
        """Return what a box showed at a version, by default at the newest; None for one that it was never given.

        What this tab has saved itself counts as seen: two messages may be under way at once.
        """
        if version is None or box in self.taken:
            return self.newest(box)
        return self.texts.get(box, {}).get(version, None if version else "")

    def give(self, box: str, text: str, *, taken: str | None = None, forced: bool = False) -> "GivenTexts":
        """Return the texts with a new version of one box; `taken` was typed in it and has been saved so."""
        version = self.version + 1
        known = dict(list(self.texts.get(box, {}).items())[-_VERSIONS_KEPT:])
        others = {name: typed for name, typed in self.taken.items() if name != box}
        return replace(
            self,
            version=version,
            texts={**self.texts, box: {**known, version: text}},
            taken=others if taken is None else {**others, box: taken},
            forced={**self.forced, box: version} if forced else self.forced,
        )

    def follow(self, texts: Mapping[str, str]) -> "GivenTexts":
        """Return the texts with a new version of each box that says something else now; one left out is empty."""
        given = self
        for box in {*texts, *self.texts}:
            text = texts.get(box, "")
            if box not in self.texts or self.newest(box) != text:
                given = given.give(box, text)
        return given

    def to_json(self) -> dict[str, Any]:
        """Return what the browser needs to know."""
        return {
            "values": {box: self.newest(box) for box in self.texts},
            "versions": {box: max(known) for box, known in self.texts.items()},
            "taken": self.taken,
            "forced": self.forced,
        }

"""Each class has a name of its own in app/ and worker/, so that a search for the name finds one definition."""

import ast
from collections import defaultdict
from pathlib import Path
from typing import Final

_REPOSITORY = Path(__file__).parents[1]

_MIRRORED: Final = {
    "Metrics": "`domain.metrics` measures them, and the API answers them under the same name",
    "PhoneNumber": "`domain.phone` reads a number, and `models` has the row of a number of ours",
    "Progress": "`domain.metrics` sums it up, and the API answers it under the same name",
}
"""Names that two classes share because they are one thing on two sides of the house, each with these sides."""


def _places_of_classes() -> dict[str, list[str]]:
    places: defaultdict[str, list[str]] = defaultdict(list)
    for folder in ("app", "worker"):
        for path in sorted((_REPOSITORY / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ClassDef):
                    places[node.name].append(f"{path.relative_to(_REPOSITORY)}:{node.lineno}")
    return places


def test_no_two_classes_have_the_same_name() -> None:
    twice = {name: places for name, places in _places_of_classes().items() if len(places) > 1}

    assert {name: places for name, places in twice.items() if name not in _MIRRORED} == {}


def test_every_name_that_is_allowed_twice_stands_twice() -> None:
    twice = {name for name, places in _places_of_classes().items() if len(places) > 1}

    assert _MIRRORED.keys() - twice == set()

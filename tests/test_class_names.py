"""Each class has a name of its own in app/ and worker/, so that a search for the name finds one definition."""

import ast
from collections import defaultdict
from typing import Final

from tests.support.sources import ROOT, all_modules

_MIRRORED: Final = {
    "Metrics": "`domain.metrics` measures them, and the API answers them under the same name",
    "PhoneNumber": "`domain.phone` reads a number, and `models` has the row of a number of ours",
    "Place": "`domain.places` resolves a person's place, and `models` has the row of one",
    "Progress": "`domain.metrics` sums it up, and the API answers it under the same name",
}
"""Names that two classes share because they are one thing on two sides of the house, each with these sides."""


def _names_of_several_classes() -> dict[str, list[str]]:
    """Return name -> where classes of that name stand."""
    places: defaultdict[str, list[str]] = defaultdict(list)
    for path in all_modules():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(f"{path.relative_to(ROOT)}:{node.lineno}")
    return {name: found for name, found in places.items() if len(found) > 1}


def test_no_two_classes_have_the_same_name() -> None:
    twice = _names_of_several_classes()

    assert {name: places for name, places in twice.items() if name not in _MIRRORED} == {}


def test_every_name_that_is_allowed_twice_stands_twice() -> None:
    assert _MIRRORED.keys() - _names_of_several_classes().keys() == set()

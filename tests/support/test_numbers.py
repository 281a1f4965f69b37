"""Made-up numbers never collide: neither with each other nor with one that a test writes out."""

import re
from pathlib import Path
from typing import Final

import phonenumbers
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.simulator.settings import DEFAULT_NUMBERS
from tests.support import builders
from tests.support.builders import make_contact, make_number, make_organization
from tests.support.numbers import FIRST_LINE, new_number

TESTS: Final = Path(__file__).parents[1]
WRITTEN: Final = re.compile(r"(?<!\d)1?[ (-]{0,2}(201|202|212)[ )-]{0,2}([2-9]\d\d)[ -]?(?=\d|%|\{)")
"""An area that numbers are made in, and the exchange that a test writes after it."""


def test_made_numbers_are_distinct_valid_and_of_their_area() -> None:
    made = [new_number(area) for area in (201, 202, 212) for _ in range(12_000)]

    assert len({number[-7:] for number in made}) == len(made)
    assert {number[:5] for number in made} == {"+1201", "+1202", "+1212"}
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(number)) for number in made[::100])


async def test_the_builders_make_no_number_that_a_test_writes_out(
    session: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many rows were made before: these are the last digits of the numbers in `test_import_undo`."""
    monkeypatch.setattr(builders, "_serial", iter(range(143, 243)))
    acme = await make_organization(session)

    made = {(await make_contact(session, acme)).number for _ in range(10)}
    made |= {(await make_number(session, acme)).number for _ in range(10)}

    assert len(made) == 20
    assert not [number for number in made if number[5:8] == "555"]


def test_no_test_writes_out_a_number_that_may_be_made() -> None:
    written = {
        (path.name, f"{area} {exchange}")
        for path in sorted(TESTS.rglob("*.py"))
        for area, exchange in WRITTEN.findall(path.read_text())
    }

    assert ("test_import_undo.py", "202 555") in written  # It does look.
    assert [each for each in sorted(written) if int(each[1][4:]) * 10_000 >= FIRST_LINE] == []
    assert not [number for number in DEFAULT_NUMBERS if int(number[5:]) >= FIRST_LINE]

"""A setting is declared once: few modules know its name, so that one more touches few."""

import re
from pathlib import Path
from typing import Final

import pytest

from app.services.campaigns.settings import SETTINGS
from tests.support.sources import ROOT

MOST_FILES: Final = 4
"""Column, declaration, and what goes by it; the forms are counted by themselves."""
MOST_FILES_OF_WEB: Final = 1
"""Its box, with its words and how it reads."""

MEANS_MORE: Final = {
    "name": "of whatever has a name",
    "description": "of agents, of fields of the API",
    "channel": "of attempts, messages and prices",
    "agent_id": "of attempts",
    "phone_number_id": "of attempts and of numbers that rest",
    "time_zone": "of organizations and contacts",
    "missing": "of anything that is not there",
    "scheduled_at": "in lists of campaigns, and of the state `scheduled`, which the clock ends",
    "purpose": "of webhooks, cookies and keys",
    "breaker": "the circuit breaker, of which the setting is the policy",
    "ramp": "the module that knows a ramp's steps, and where a campaign is on it",
}
"""Words that name other things too: setting -> which. They are not counted."""


def _files_with(name: str) -> list[str]:
    word = re.compile(rf"\b{name}\b")
    return [path for path, text in _TEXTS.items() if word.search(text)]


def _texts(*folders: str) -> dict[str, str]:
    paths: list[Path] = [path for folder in folders for path in sorted((ROOT / folder).rglob("*"))]
    return {
        str(path.relative_to(ROOT)): path.read_text()
        for path in paths
        if path.suffix in {".py", ".md"} and path.is_file()
    }


_TEXTS: Final = _texts("app", "worker")


@pytest.mark.parametrize("name", sorted(SETTINGS.keys() - MEANS_MORE.keys()))
def test_few_files_name_a_setting(name: str) -> None:
    found = _files_with(name)
    outside = [path for path in found if not path.startswith("app/web/")]
    assert len(outside) <= MOST_FILES, outside
    assert len(found) - len(outside) <= MOST_FILES_OF_WEB, found


def test_what_is_not_counted_is_a_setting_still() -> None:
    assert MEANS_MORE.keys() <= SETTINGS.keys()

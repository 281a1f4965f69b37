"""What the states are stands in the domain: no SQL lists them by hand, and a single word is one of the domain's."""

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from itertools import chain
from typing import Final

import pytest

from app.domain.attempt import AttemptStatus, Disposition
from app.domain.audience import AudienceMode, AudienceStatus
from app.domain.bulk_change import BulkStatus
from app.domain.campaign import CampaignStatus, Channel
from app.domain.consent import Consent
from app.domain.contact_import import ImportStatus
from app.domain.events import EventKind, FailureClass
from app.domain.gate import Rule
from app.domain.outcomes import HangUp
from app.domain.recipient import RecipientStatus
from app.domain.suppression import SuppressionScope, scope_of
from app.models import sql
from tests.support.sources import ROOT, product_modules, texts_of

_LIST: Final = re.compile(r"\bIN\s*\(\s*'\w|\bARRAY\s*\[\s*'\w|'\{\w+,|(\b[\w.]+) = '\w+'\s+OR\s+\1 = '\w")
_COMPARED: Final = re.compile(r"\b(\w+)\s*(?:=|<>|IS NOT DISTINCT FROM|IS DISTINCT FROM)\s*'(\w+)'")

_STATUSES: Final = (
    AttemptStatus,
    CampaignStatus,
    RecipientStatus,
    ImportStatus,
    AudienceStatus,
    BulkStatus,
)
_WORDS: Final[Mapping[str, tuple[type[StrEnum], ...]]] = {
    "status": _STATUSES,
    "old": _STATUSES,
    "new": _STATUSES,
    "channel": (Channel,),
    "consent": (Consent,),
    "disposition": (Disposition,),
    "ended_as": (EventKind,),
    "failure": (FailureClass,),
    "gate_rule": (Rule,),
    "hang_up_why": (HangUp,),
    "mode": (AudienceMode,),
    "scope": (SuppressionScope,),
}


def _strings() -> Iterator[tuple[str, str]]:
    for path in product_modules():
        for line, text in texts_of(path):
            yield f"{path.relative_to(ROOT)}:{line}", text


def test_no_sql_lists_states_by_hand() -> None:
    found = [f"{where}: {hit.group()}" for where, text in _strings() for hit in _LIST.finditer(text)]
    assert found == [], "Name the set in app/domain and its list in app/models/sql.py"


def test_every_single_state_in_sql_is_a_word_of_the_domain() -> None:
    compared = [
        (f"{where}: {column} '{word}'", word in {*chain(*_WORDS[column])})
        for where, text in _strings()
        for column, word in _COMPARED.findall(text)
        if column in _WORDS
    ]
    assert len(compared) > 50, "the search finds none any more"
    assert [what for what, is_known in compared if not is_known] == []


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1 WHERE status IN ('queued', 'running')",
        "SELECT 1 WHERE status NOT IN ( 'queued')",
        "SELECT 1 WHERE s.scope IN ('all', {})",
        "SELECT 1 WHERE status = ANY('{queued,running}')",
        "SELECT 1 WHERE status = ANY(ARRAY['queued'])",
        "SELECT 1 WHERE s.scope = 'all' OR s.scope = 'voice'",
    ],
)
def test_a_list_by_hand_is_found_however_it_is_written(statement: str) -> None:
    assert _LIST.search(statement)


def test_a_list_names_its_words_in_the_order_of_their_enum() -> None:
    assert sql.listed({CampaignStatus.RUNNING, CampaignStatus.QUEUED}) == "('queued', 'running')"
    assert sql.LIVE == "('placing', 'unknown', 'review', 'queued', 'ringing', 'in_progress')"


@pytest.mark.parametrize("channel", sorted(Channel))
def test_sql_finds_the_scope_of_a_channel_as_the_domain_does(channel: Channel) -> None:
    expression = sql.scope_for("a.channel")
    whens = dict(re.findall(r"WHEN '(\w+)' THEN '(\w+)'", expression))
    usual = re.findall(r"ELSE '(\w+)' END$", expression)
    assert whens.get(channel, *usual) == scope_of(channel)

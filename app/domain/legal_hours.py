"""Legal hours: when the law where a person is lets them be called, as data of a version with named sources."""

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date, time
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Final, Self

import holidays

from app.domain.calling_hours import CallingHoursInvalid, Window, parse_window
from app.domain.legal_policy import LegalPolicy

ANY_OTHER: Final = "*"
"""The law of every country that has no rule of its own, and of people whose country is not known."""

STRICT_WINDOWS: Final = (Window(time(9), time(20), frozenset(range(1, 7))),)
STRICT_ATTEMPTS: Final = 3

_LAW: Final = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
_PACKAGED: Final = "data/legal_hours.toml"
_LAST_YEAR_OF_HOLIDAYS: Final = 2100


class LegalHoursInvalid(ValueError):
    """The table of legal hours cannot be used; the message names the file, the rule and what to change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalRule:
    """What one law says."""

    law: str
    """`US`, `US-FL`, or `ANY_OTHER`."""
    name: str
    """What users read: `Florida`."""
    windows: tuple[Window, ...]
    closed_on_holidays: bool = False
    attempts_per_day: int | None = None
    """Most attempts to one phone number in any 24 hours; None: no cap."""
    source: str
    """The law or page that says so."""
    verify: bool = False
    """Sources disagree, or the original was not read: the careful value is here."""


@dataclass(frozen=True, slots=True)
class PublicHolidays:
    """The public holidays of a country, or of one of its states."""

    law: str

    def why_off(self, day: date) -> str | None:
        """Return the holiday's name in English; None on other days, and where no calendar is known."""
        return _holidays(self.law, day.year).get(day)


@dataclass(frozen=True, slots=True)
class AppliedLaw:
    """A rule at a place: `law` may be more exact than the rule's, and then has more holidays."""

    law: str
    rule: LegalRule

    @property
    def days_off(self) -> PublicHolidays | None:
        """The days that the rule closes."""
        return PublicHolidays(self.law) if self.rule.closed_on_holidays else None


@dataclass(frozen=True, slots=True)
class LegalHours:
    """The table of legal hours."""

    version: str
    rules: Mapping[str, LegalRule]
    """Law -> its rule."""

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """Return the table of the file, or the one that comes with Callsheet. Raises `LegalHoursInvalid`."""
        try:
            text = (path or resources.files("app.domain").joinpath(_PACKAGED)).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise LegalHoursInvalid(f"{path} cannot be read: {error}") from None
        return cls.read(text, origin=str(path or _PACKAGED))

    @classmethod
    def read(cls, text: str, *, origin: str) -> Self:
        """Return the table that the text (TOML) writes; `origin` names it. Raises `LegalHoursInvalid`."""
        try:
            table = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise LegalHoursInvalid(f"{origin} is not TOML: {error}") from None
        version, written = table.get("version"), table.get("rule")
        if not isinstance(version, str) or not version.strip():
            raise LegalHoursInvalid(f'{origin}: give a version, such as version = "2026-12-01".')
        if not isinstance(written, list) or (unknown := sorted(table.keys() - {"version", "rule"})):
            also = f" Not known: {', '.join(unknown)}." if isinstance(written, list) else ""
            raise LegalHoursInvalid(f"{origin}: write version, and a [[rule]] for each law.{also}")
        rules: dict[str, LegalRule] = {}
        for number, each in enumerate(written, start=1):
            rule = _read_rule(each, where=f"{origin}, rule {number}")
            if rule.law in rules:
                raise LegalHoursInvalid(f"{origin}: there are two rules for “{rule.law}”. Keep one.")
            rules[rule.law] = rule
        if ANY_OTHER not in rules:
            raise LegalHoursInvalid(f"{origin}: write a rule for every other country: law = “{ANY_OTHER}”.")
        return cls(version.strip(), rules)

    def rules_for(self, laws: Collection[str]) -> tuple[AppliedLaw, ...]:
        """Return every rule that holds under these laws: of a state and of its country.

        Without a law, and for a country without a rule: the rule for every other country.
        """
        applied = (each for law in laws or (ANY_OTHER,) for each in self._rules_of(law))
        return tuple(dict.fromkeys(applied))

    def cap_for(self, laws: Collection[str], policy: LegalPolicy = LegalPolicy.LAW) -> int | None:
        """Return the most attempts to one phone number in any 24 hours; None: the law has no cap."""
        if policy is LegalPolicy.OFF:
            return None
        caps = [each.rule.attempts_per_day for each in self.rules_for(laws)]
        strict = STRICT_ATTEMPTS if policy is LegalPolicy.STRICT else None
        return min((cap for cap in (*caps, strict) if cap is not None), default=None)

    def _rules_of(self, law: str) -> Iterator[AppliedLaw]:
        country = law.partition("-")[0]
        own = [self.rules[code] for code in dict.fromkeys((law, country)) if code in self.rules]
        for rule in own or [self.rules[ANY_OTHER]]:
            yield AppliedLaw(law if rule.closed_on_holidays else rule.law, rule)


def holidays_are_known(law: str) -> bool:
    """Tell whether there is a calendar of public holidays for this country or state."""
    country, _, state = law.partition("-")
    known = _calendars()
    return country in known and (not state or state in known[country])


@lru_cache(maxsize=1)
def _calendars() -> Mapping[str, frozenset[str]]:
    """Return country -> its states that have a calendar."""
    return {country: frozenset(states) for country, states in holidays.list_supported_countries().items()}


@lru_cache(maxsize=2_000)
def _holidays(law: str, year: int) -> Mapping[date, str]:
    country, _, state = law.partition("-")
    known = _calendars()
    if country not in known or year > _LAST_YEAR_OF_HOLIDAYS:
        return {}
    english = holidays.country_holidays(country).supported_languages
    return dict(
        holidays.country_holidays(
            country,
            subdiv=state if state in known[country] else None,
            years=year,
            expand=False,
            language="en_US" if "en_US" in english else None,
        )
    )


_RULE_KEYS: Final = frozenset(each.name for each in fields(LegalRule))


def _read_rule(written: object, *, where: str) -> LegalRule:
    if not isinstance(written, dict):
        raise LegalHoursInvalid(f"{where}: write it as [[rule]].")
    law = written.get("law")
    if not isinstance(law, str) or not (law == ANY_OTHER or _LAW.fullmatch(law)):
        raise LegalHoursInvalid(f"{where}: law must be a code such as “US” or “US-FL”, or “{ANY_OTHER}”.")
    where = f"{where} ({law})"
    if unknown := sorted(written.keys() - _RULE_KEYS):
        raise LegalHoursInvalid(f"{where}: not known: {', '.join(unknown)}.")
    closed = _flag(written, "closed_on_holidays", where)
    if closed and law != ANY_OTHER and not holidays_are_known(law):
        raise LegalHoursInvalid(f"{where}: no public holidays are known there. Leave out closed_on_holidays.")
    return LegalRule(
        law=law,
        name=_words(written, "name", where),
        windows=_windows(written.get("windows"), where),
        closed_on_holidays=closed,
        attempts_per_day=_cap(written.get("attempts_per_day"), where),
        source=_words(written, "source", where),
        verify=_flag(written, "verify", where),
    )


def _words(written: Mapping[str, object], key: str, where: str) -> str:
    value = written.get(key)
    if not isinstance(value, str) or not value.strip():
        raise LegalHoursInvalid(f"{where}: {key} is missing.")
    return value.strip()


def _flag(written: Mapping[str, object], key: str, where: str) -> bool:
    value = written.get(key, False)
    if not isinstance(value, bool):
        raise LegalHoursInvalid(f"{where}: {key} must be true or false.")
    return value


def _cap(value: object, where: str) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise LegalHoursInvalid(f"{where}: attempts_per_day must be a whole number from 1 on.")
    return value


def _windows(value: object, where: str) -> tuple[Window, ...]:
    if not isinstance(value, list) or not value:
        raise LegalHoursInvalid(f"{where}: windows must be a list with at least one window.")
    return tuple(_window(each, f"{where}, window {number}") for number, each in enumerate(value, start=1))


def _window(value: object, where: str) -> Window:
    if not isinstance(value, dict) or value.keys() - {"start", "end", "days"}:
        raise LegalHoursInvalid(f"{where}: write start, end and, if not every day, days.")
    try:
        return parse_window(value)
    except CallingHoursInvalid as problem:
        raise LegalHoursInvalid(f"{where}: {problem.field}: {problem}") from None

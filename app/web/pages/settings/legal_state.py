"""Legal hours: how the organization keeps them, its blackout dates, and the table of the law."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import reflex as rx
from reflex.event import EventSpec

from app.domain.legal_policy import LegalPolicy, ZoneTrust
from app.domain.rights import Right
from app.services.access.legal_policies import (
    LegalRuleView,
    PolicyChangeView,
    legal_policy_history,
    legal_table,
)
from app.services.access.organizations import (
    add_blackout,
    organization_settings,
    remove_blackout,
    update_organization,
)
from app.services.errors import FieldErrors
from app.web.components import say_done
from app.web.forms import written
from app.web.guard import FormState, guarded
from app.web.visit import Visit
from app.web.words import Moment, moment

POLICIES: Final[Mapping[LegalPolicy, str]] = {
    LegalPolicy.LAW: "The law where people are",
    LegalPolicy.STRICT: "Stricter than the law",
    LegalPolicy.OFF: "Off: only each campaign's hours",
}
ZONES: Final[Mapping[ZoneTrust, str]] = {
    ZoneTrust.OWN: "Their own time zone or state, else their number's",
    ZoneTrust.BOTH: "Both: hours must hold in their own zone and in their number's",
}
POLICY, REASON, ZONE = "legal_policy", "legal_policy_reason", "zone_trust"
_BLACKOUT: Final = ("from", "until", "name")
BOX: Final = "blackout_"
"""Before the name of each box of new blackout dates."""


@dataclass(frozen=True, slots=True)
class PolicyChangeRow:
    """One change of the policy in the history."""

    id: int
    change: str
    reason: str
    actor: str
    at: Moment


@dataclass(frozen=True, slots=True)
class BlackoutRow:
    """Dates without any call or text."""

    start: str
    end: str
    """Both in ISO form; the end is included."""
    name: str
    words: str
    key: str


@dataclass(frozen=True, slots=True)
class LawRow:
    """One rule of the table of the law."""

    law: str
    name: str
    hours: str
    more: str
    """Holidays and cap, in words; may be empty."""
    source: str
    verify: bool


class LegalHoursState(FormState, rx.State):
    """How the organization keeps legal hours."""

    policy: rx.Field[str] = rx.field("")
    zone_trust: rx.Field[str] = rx.field("")
    form_version: rx.Field[int] = rx.field(0)
    history: rx.Field[list[PolicyChangeRow]] = rx.field(default_factory=list)
    version: rx.Field[str] = rx.field("")
    laws: rx.Field[list[LawRow]] = rx.field(default_factory=list)

    @guarded(Right.VIEW)
    async def load(self, visit: Visit) -> None:
        """Show the policy, its history and the table of the law."""
        self.problem, self.errors = "", {}
        await self._read(visit)
        table = legal_table(principal=visit.principal)
        self.version, self.laws = table.version, [_law(rule) for rule in table.rules]
        self.loading = False

    @guarded(Right.MANAGE_SETTINGS)
    async def save(self, visit: Visit, form: dict[str, Any]) -> AsyncIterator[EventSpec | None]:
        """Store the policy with its reason, and whose time zone counts."""
        self.saving, self.errors = True, {}
        yield None
        changes = {name: written(form, name) for name in (POLICY, REASON, ZONE) if name in form}
        await visit.write(
            lambda session: update_organization(
                session, principal=visit.principal, changes=changes, now=visit.now
            )
        )
        await self._read(visit)
        yield say_done("Settings saved")

    async def _read(self, visit: Visit) -> None:
        async with visit.reading() as session:
            organization = await organization_settings(session, principal=visit.principal)
            history = await legal_policy_history(session, principal=visit.principal)
        self.policy, self.zone_trust = organization.legal_policy.value, organization.zone_trust.value
        self.history = [_change(each, visit.principal.time_zone, visit.now) for each in history]
        self.form_version += 1


class BlackoutState(FormState, rx.State):
    """The organization's blackout dates."""

    rows: rx.Field[list[BlackoutRow]] = rx.field(default_factory=list)
    form_version: rx.Field[int] = rx.field(0)

    @guarded(Right.VIEW)
    async def load(self, visit: Visit) -> None:
        """Show the dates."""
        self.problem, self.errors = "", {}
        await self._read(visit)
        self.loading = False

    @guarded(Right.MANAGE_SETTINGS)
    async def add(self, visit: Visit, form: dict[str, Any]) -> AsyncIterator[EventSpec | None]:
        """Add dates."""
        self.saving, self.errors = True, {}
        yield None
        blackout = {part: written(form, f"{BOX}{part}") for part in _BLACKOUT}
        try:
            await visit.write(
                lambda session: add_blackout(
                    session, principal=visit.principal, blackout=blackout, now=visit.now
                )
            )
        except FieldErrors as refused:
            raise FieldErrors({f"{BOX}{part}": why for part, why in refused.errors.items()}) from None
        await self._read(visit)
        yield say_done("Dates added")

    @guarded(Right.MANAGE_SETTINGS)
    async def remove(self, visit: Visit, start: str, end: str, name: str) -> EventSpec:
        """Remove dates."""
        blackout = {"from": start, "until": end, "name": name}
        await visit.write(
            lambda session: remove_blackout(
                session, principal=visit.principal, blackout=blackout, now=visit.now
            )
        )
        await self._read(visit)
        return say_done("Dates removed")

    async def _read(self, visit: Visit) -> None:
        async with visit.reading() as session:
            organization = await organization_settings(session, principal=visit.principal)
        self.rows = [_blackout(each) for each in organization.blackout_dates]
        self.form_version += 1


def _change(view: PolicyChangeView, zone: str, now: datetime) -> PolicyChangeRow:
    return PolicyChangeRow(
        id=view.id,
        change=f"{POLICIES[view.old]} → {POLICIES[view.new]}",
        reason=view.reason,
        actor=view.actor,
        at=moment(view.at, zone, now=now),
    )


def _law(rule: LegalRuleView) -> LawRow:
    holidays = "no public holidays" if rule.closed_on_holidays else ""
    cap = f"at most {rule.attempts_per_day} in 24 hours" if rule.attempts_per_day else ""
    return LawRow(
        law=rule.law,
        name=rule.name[:1].upper() + rule.name[1:],
        hours=rule.hours,
        more=", ".join(filter(None, (holidays, cap))),
        source=rule.source,
        verify=rule.verify,
    )


def _blackout(row: Mapping[str, str]) -> BlackoutRow:
    start, end = (date.fromisoformat(row[part]) for part in ("from", "until"))
    first, last = (f"{day.day} {day:%b %Y}" for day in (start, end))
    words = first if start == end else f"{first} to {last}"
    return BlackoutRow(row["from"], row["until"], row["name"], words, "/".join(row.values()))

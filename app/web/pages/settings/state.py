"""The settings of the whole organization, its members, and the running system."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import reflex as rx
from reflex.event import EventCallback, EventSpec

from app.domain.rights import Right
from app.services.access.members import MemberView, list_members
from app.services.access.organizations import OrganizationView, organization_settings, update_organization
from app.services.access.principal import Principal
from app.services.heartbeats import worker_health
from app.services.live_hub import Watched, watch
from app.services.numbers.queries import NumberView, list_numbers
from app.web.carrier import carrier_words
from app.web.components import say_done
from app.web.forms import chosen_id, ticked, written
from app.web.guard import FormState, guarded, still_allowed
from app.web.options import Option
from app.web.session import SessionState
from app.web.visit import Visit
from app.web.words import Moment, counted, moment

_TEXTS: Final = (
    "name",
    "time_zone",
    "default_region",
    "outbound_limit",
    "frequency_cap",
    "frequency_cap_hours",
)


@dataclass(frozen=True, slots=True)
class OrganizationForm:
    """The values the form starts with."""

    name: str = ""
    time_zone: str = ""
    default_region: str = ""
    strict_numbers: bool = False
    outbound_limit: str = ""
    frequency_cap: str = ""
    frequency_cap_hours: str = ""
    number_id: str = ""


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A member in the list."""

    id: int
    name: str
    email: str
    role: str
    since: Moment
    is_me: bool


@dataclass(frozen=True, slots=True)
class Machinery:
    """The running system, in words."""

    workers: str = ""
    dials: bool = False
    seen: str = ""
    stopped: bool = False
    stop_note: str = ""
    """Who stopped all dialing, and when; empty while it is allowed."""


class SettingsState(FormState, rx.State):
    """What the page shows."""

    form: rx.Field[OrganizationForm] = rx.field(default_factory=OrganizationForm)
    form_version: rx.Field[int] = rx.field(0)
    numbers: rx.Field[list[Option]] = rx.field(default_factory=list)
    members: rx.Field[list[MemberRow]] = rx.field(default_factory=list)
    machinery: rx.Field[Machinery] = rx.field(default_factory=Machinery)
    carrier: rx.Field[str] = rx.field("")
    public_url: rx.Field[str] = rx.field("")

    @guarded(Right.VIEW)
    async def load(self, visit: Visit) -> AsyncIterator[None]:
        """Show the settings."""
        self.loading, self.problem, self.errors, self.members = True, "", {}, []
        yield
        async with visit.reading() as session:
            organization = await organization_settings(session, principal=visit.principal)
            numbers = await list_numbers(session, principal=visit.principal, active_only=True)
            members = await list_members(session, principal=visit.principal)
        now = visit.now
        self._show(organization, numbers)
        self.members = [_member(one, visit.principal, now) for one in members]
        self.machinery = await _machinery(visit)
        self.carrier, self.public_url = carrier_words(visit.settings), visit.settings.public_url
        self.loading = False

    @guarded(Right.VIEW, background=True)
    async def watch(self, visit: Visit) -> None:
        """Keep workers and the switch in sight."""
        key = Watched(visit.principal.organization_id, None, "machinery", of_campaigns=False)
        check = still_allowed(self, Right.VIEW)
        async for machinery in watch(key, lambda: _machinery(visit), check=check):
            async with self:
                self.machinery = machinery

    @guarded(Right.MANAGE_SETTINGS)
    async def save(
        self, visit: Visit, form: dict[str, Any]
    ) -> AsyncIterator[EventSpec | EventCallback[()] | None]:
        """Store the organization's settings."""
        self.saving, self.errors = True, {}
        yield None
        changes: dict[str, Any] = {name: written(form, name) for name in _TEXTS if name in form}
        changes["strict_numbers"] = ticked(form, "strict_numbers")
        changes["default_phone_number_id"] = chosen_id(form, "default_phone_number_id")
        await visit.write(
            lambda session: update_organization(
                session, principal=visit.principal, changes=changes, now=visit.now
            )
        )
        yield say_done("Settings saved")
        yield SessionState.enter

    def _show(self, organization: OrganizationView, numbers: list[NumberView]) -> None:
        self.numbers = [Option(str(one.id), f"{one.pretty}  {one.label}".strip()) for one in numbers]
        self.form = OrganizationForm(
            name=organization.name,
            time_zone=organization.time_zone,
            default_region=organization.default_region,
            strict_numbers=organization.strict_numbers,
            outbound_limit=str(organization.outbound_limit),
            frequency_cap=str(organization.frequency_cap),
            frequency_cap_hours=str(organization.frequency_cap_hours),
            number_id=str(organization.default_phone_number_id or ""),
        )
        self.form_version += 1


async def _machinery(visit: Visit) -> Machinery:
    now = visit.now
    async with visit.reading() as session:
        health = await worker_health(session, now=now)
        organization = await organization_settings(session, principal=visit.principal)
    seen = moment(health.last_seen, organization.time_zone, now=now)
    dials = health.dial_workers > 0
    return Machinery(
        workers=counted(health.dial_workers, "dialing worker", "dialing workers"),
        dials=dials,
        # While they work, "last seen" would change with every heartbeat and say nothing.
        seen="" if dials or not seen.text else f"Last seen {seen.text} {seen.zone}",
        stopped=organization.dialing_stopped_at is not None,
        stop_note=_stop_note(organization, now),
    )


def _stop_note(organization: OrganizationView, now: datetime) -> str:
    if organization.dialing_stopped_at is None:
        return ""
    at = moment(organization.dialing_stopped_at, organization.time_zone, now=now)
    return f"Stopped by {organization.dialing_stopped_by or 'somebody'}, {at.text} {at.zone}."


def _member(view: MemberView, principal: Principal, now: datetime) -> MemberRow:
    return MemberRow(
        id=view.user_id,
        name=view.name or view.email,
        email=view.email,
        role=view.role.value.capitalize(),
        since=moment(view.created_at, principal.time_zone, now=now),
        is_me=view.user_id == principal.user_id,
    )

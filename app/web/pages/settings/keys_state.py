"""API keys: create one and show it once, list them, revoke one."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import reflex as rx
from reflex.event import EventSpec

from app.domain.rights import Right, Role, has_right
from app.services.access.keys import KeyView, create_key, list_keys, revoke_key
from app.services.errors import FieldErrors
from app.web.components import say_done
from app.web.forms import written
from app.web.guard import FormState, anyone, guarded
from app.web.visit import Visit
from app.web.words import Moment, moment


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key in the list."""

    id: int
    name: str
    prefix: str
    role: str
    created: Moment
    used: Moment
    revoked: Moment


class KeysState(FormState, rx.State):
    """What the panel shows."""

    rows: rx.Field[list[KeyRow]] = rx.field(default_factory=list)
    is_open: rx.Field[bool] = rx.field(False)
    new_key: rx.Field[str] = rx.field("")
    """A new key, while its dialog is open: it is shown only this once."""
    revoking: rx.Field[int] = rx.field(0)
    """The key of the open question; 0: none."""
    revoking_name: rx.Field[str] = rx.field("")

    @guarded(Right.VIEW)
    async def load(self, visit: Visit) -> None:
        """Show the keys to people who may manage them; the page tells the others that only owners see them."""
        self.problem, self.rows = "", []
        self.is_open, self.new_key, self.revoking = False, "", 0
        if has_right(visit.principal.role, Right.MANAGE_KEYS):
            await self._read(visit)
        self.loading = False

    @anyone
    def set_open(self, is_open: bool) -> None:  # noqa: FBT001 - what the dialog tells
        """Open or close the dialog of a new key; a key it showed is forgotten."""
        self.is_open, self.new_key, self.errors = is_open, "", {}

    @guarded(Right.MANAGE_KEYS)
    async def create(self, visit: Visit, form: dict[str, Any]) -> AsyncIterator[None]:
        """Make a key and show it."""
        self.saving, self.errors = True, {}
        yield
        role = written(form, "role")
        if role not in set(Role):
            raise FieldErrors({"role": "Choose what the key may do."})
        made = await visit.write(
            lambda session: create_key(
                session,
                principal=visit.principal,
                name=written(form, "key_name"),
                role=Role(role),
                now=visit.now,
            )
        )
        await self._read(visit)
        self.new_key = made.key

    @anyone
    def ask_to_revoke(self, key_id: int) -> None:
        """Open the question; 0 closes it."""
        names = [row.name for row in self.rows if row.id == key_id]
        self.revoking, self.revoking_name = key_id, names[0] if names else self.revoking_name

    @guarded(Right.MANAGE_KEYS)
    async def revoke(self, visit: Visit, key_id: int) -> EventSpec:
        """Revoke a key for good."""
        self.revoking = 0
        await visit.write(
            lambda session: revoke_key(session, principal=visit.principal, key_id=key_id, now=visit.now)
        )
        await self._read(visit)
        return say_done("Key revoked")

    async def _read(self, visit: Visit) -> None:
        async with visit.reading() as session:
            keys = await list_keys(session, principal=visit.principal)
        self.rows = [_row(key, visit.principal.time_zone, visit.now) for key in keys]


def _row(key: KeyView, zone: str, now: datetime) -> KeyRow:
    return KeyRow(
        id=key.id,
        name=key.name,
        prefix=f"{key.prefix}\N{HORIZONTAL ELLIPSIS}",
        role=key.role.value.capitalize(),
        created=moment(key.created_at, zone, now=now),
        used=moment(key.last_used_at, zone, now=now),
        revoked=moment(key.revoked_at, zone, now=now),
    )

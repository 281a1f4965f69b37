"""People of the pictures that came from files: imports in every state, segments, and a bulk change."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.bulk_change import BulkAction
from app.domain.contact_filter import Condition, ContactFilter, Op
from app.services.access.principal import Principal
from app.services.contacts.bulk import begin_bulk_change
from app.services.imports.operations import import_file, store_import
from app.services.imports.undo import undo_import
from app.services.segments.operations import create_segment

_LEADS: Final = b"""phone,first name,last name,e-mail,city,deal stage
+12025550111,Jo,Park,jo@example.com,Boston,proposal
(202) 555-0112,Mia,Stone,mia@example.com,Denver,won
1.5555E+10,Ned,Hale,ned@example.com,Austin,lost
+12025550111,Jo,Park,jo@example.com,Boston,proposal
12,Ola,Short,ola@example.com,Miami,proposal
+15559876543,Jane,Smith,jane@example.com,Chicago,discovery
+12025550113 / +12025550114,Two,Numbers,two@example.com,Reno,proposal
+19005550115,Pam,Premium,pam@example.com,Salem,won
"""
"""With something to say of most rows."""


def _guests(area: int) -> bytes:
    rows = (f"+1{area}555{serial:04},Guest {serial},Company {serial}" for serial in range(30))
    return "\n".join(["phone,name,company", *rows]).encode()


async def bring_people(session: AsyncSession, *, owner: Principal, now: datetime) -> None:
    """Import files: one with bad rows, one that is all well, one that is taken back; another waits."""
    common: dict[str, Any] = {"principal": owner, "campaign_ref": None, "now": now}
    await import_file(session, **common, file_name="trade-fair.csv", data=_guests(646))
    old = await import_file(session, **common, file_name="customers-of-2019.csv", data=_guests(917))
    await undo_import(session, principal=owner, import_ref=old.import_id, now=now)
    await import_file(session, **common, file_name="autumn-leads.csv", data=_LEADS)
    await store_import(session, **common, file_name="newsletter.csv", data=_guests(347))
    await _name_them(session, owner=owner, now=now)


async def _name_them(session: AsyncSession, *, owner: Principal, now: datetime) -> None:
    from_files = ContactFilter((Condition("import_id", Op.NOT_EMPTY),))
    rules = {
        "Everyone from a file": {"field": "import_id", "op": "not_empty"},
        "Regulars": {"field": "tags", "op": "any_of", "value": ["vip", "returning"]},
    }
    for name, condition in rules.items():
        changes = {"name": name, "filter": {"conditions": [condition]}}
        await create_segment(session, principal=owner, changes=changes, now=now)
    await begin_bulk_change(
        session,
        principal=owner,
        action=BulkAction.TAG,
        arguments={"tags": ["autumn"]},
        wanted=from_files,
        now=now,
    )

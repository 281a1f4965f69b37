"""What the witnesses say after a fault run: our rows, the carrier's ledger, what was acknowledged, the page."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Final
from uuid import UUID

from app.services.campaigns.progress import campaign_snapshot
from app.services.campaigns.views import CampaignSnapshot
from tests.faults.harness import World
from tests.faults.relay import Acknowledged

Row = Mapping[str, Any]

_CALLBACK: Final = re.compile(r"[/-]status/([0-9a-f-]{36})/")
_TIMES: Final = ("accepted_at", "dialed_at", "answered_at", "ended_at", "sent_at")


@dataclass(frozen=True)
class Evidence:
    """All of it, read at one quiet moment."""

    sent: Sequence[Row]
    """The carrier's ledger of what we asked for, calls and messages, each with `attempt_id`; times as datetimes."""
    attempts: Mapping[UUID, Row]
    recipients: Sequence[Row]
    campaigns: Mapping[int, Row]
    organizations: Sequence[Row]
    agents: Sequence[Row]
    accounts: Sequence[Row]
    transitions: Sequence[Row]
    campaign_transitions: Sequence[Row]
    suppressions: Sequence[Row]
    events: Sequence[Row]
    pages: Mapping[int, CampaignSnapshot]
    """What each campaign's live page shows."""
    acknowledged: frozenset[Acknowledged]
    stops: Mapping[int, Sequence[datetime]]
    """When the pauses and cancels of each campaign were acknowledged, as far as an operator here asked for them."""
    now: datetime

    @cached_property
    def calls(self) -> Sequence[Row]:
        """The carrier's calls."""
        return [entry for entry in self.sent if entry["kind"] == "call"]

    @cached_property
    def sent_of_campaign(self) -> Mapping[int, Sequence[Row]]:
        """The carrier's calls and messages by our campaign; those of no attempt are in none."""
        found: dict[int, list[Row]] = defaultdict(list)
        for entry in self.sent:
            attempt = self.attempts.get(entry["attempt_id"])
            if attempt is not None:
                found[attempt["campaign_id"]].append(entry)
        return found


async def gather(world: World) -> Evidence:
    """Ask every witness."""
    now = world.context.clock.now()
    campaigns = await world.rows("SELECT * FROM campaign")
    return Evidence(
        sent=[_entry(each) for each in await world.ledger() if each["direction"] == "outbound-api"],
        attempts={row["id"]: row for row in await world.rows("SELECT * FROM attempt ORDER BY reserved_at")},
        recipients=await world.rows(
            "SELECT r.*, c.number FROM recipient r JOIN contact c ON c.id = r.contact_id"
        ),
        campaigns={row["id"]: row for row in campaigns},
        organizations=await world.rows("SELECT * FROM organization"),
        agents=await world.rows("SELECT * FROM agent"),
        accounts=await world.rows("SELECT * FROM carrier_account"),
        transitions=await world.rows("SELECT * FROM recipient_transition ORDER BY recipient_id, id"),
        campaign_transitions=await world.rows("SELECT * FROM campaign_transition ORDER BY campaign_id, id"),
        suppressions=await world.rows("SELECT * FROM suppression WHERE lifted_at IS NULL"),
        events=await world.rows("SELECT * FROM provider_event ORDER BY id"),
        pages=await _pages(world, campaigns, now),
        acknowledged=frozenset(world.relay.acknowledged),
        stops=world.stops,
        now=now,
    )


async def _pages(world: World, campaigns: Sequence[Row], now: datetime) -> dict[int, CampaignSnapshot]:
    async with world.context.database.session() as session:
        return {
            campaign["id"]: await campaign_snapshot(
                session,
                organization_id=campaign["organization_id"],
                campaign_id=campaign["id"],
                now=now,
            )
            for campaign in campaigns
        }


def _entry(entry: Row) -> Row:
    named = _CALLBACK.search(str(entry["parameters"].get("StatusCallback", "")))
    moments = {name: _moment(entry.get(name)) for name in _TIMES}
    return {**entry, **moments, "attempt_id": UUID(named.group(1)) if named else None}


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None

"""A campaign on stage: an organization, an agent, a number, people to call, a carrier and a clock."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.campaign import CampaignStatus, Channel
from app.domain.events import AttemptEvent, EventKind
from app.domain.recipient import RecipientStatus
from app.domain.retry import RETRIED_BY_DEFAULT
from app.models import Attempt, Campaign, CarrierAccount, Organization, Recipient
from app.providers.base import ReceivedEvent
from app.runtime.database import Database
from app.services.dialing.completion import complete_campaign
from app.services.dialing.place.carrier_answer import record
from app.services.dialing.place.carrier_request import CarrierAnswer, Recheck, place, still_wanted
from app.services.dialing.receive.webhooks import receive
from app.services.dialing.reserve.reservation import Reservation, reserve
from app.services.dialing.settle.hang_up import end_calls
from tests.support.builders import (
    make_agent,
    make_campaign,
    make_carrier_account,
    make_number,
    make_organization,
    make_recipient,
)
from tests.support.carrier import ScriptedCarrier
from tests.support.clock import VirtualClock

WORKER = "test-worker"


@dataclass
class DialingStage:
    """What a dialing test needs, and the verbs it speaks in."""

    database: Database
    clock: VirtualClock
    carrier: ScriptedCarrier
    organization: Organization
    account: CarrierAccount
    campaign_id: int
    sequence: int = field(default=0)

    async def reserve(self, most: int = 50, worker: str = WORKER) -> tuple[Reservation, ...]:
        """Step one."""
        outcome = await reserve(
            self.database,
            campaign_id=self.campaign_id,
            worker=worker,
            carrier_account_id=self.account.id,
            clock=self.clock,
            most=most,
        )
        return outcome.reservations

    async def place(self, *reservations: Reservation) -> list[CarrierAnswer]:
        """Step two, for what is still wanted."""
        async with self.database.session() as session:
            wanted = await still_wanted(session, reservations, worker=WORKER, now=self.clock.now())
        return [
            await place(
                self.carrier,
                each,
                clock=self.clock,
                closes_at=wanted[each.attempt_id],
                recheck=self._recheck(each),
            )
            for each in reservations
            if each.attempt_id in wanted
        ]

    def _recheck(self, reservation: Reservation) -> Recheck:
        async def recheck() -> bool:
            async with self.database.session() as session:
                wanted = await still_wanted(session, [reservation], worker=WORKER, now=self.clock.now())
            return reservation.attempt_id in wanted

        return recheck

    async def record(self, *answers: CarrierAnswer) -> None:
        """Step three."""
        await record(self.database, answers, clock=self.clock)

    async def end_calls(self) -> int:
        """Ask the carrier to end what should be ended."""
        return await end_calls(
            self.database, self.carrier, carrier_account_id=self.account.id, clock=self.clock
        )

    async def dial(self, most: int = 50) -> tuple[Reservation, ...]:
        """All three steps."""
        reservations = await self.reserve(most)
        await self.record(*await self.place(*reservations))
        return reservations

    async def hear(self, attempt_id: UUID, *kinds: EventKind, key: str = "", **details: Any) -> None:
        """Let the carrier's webhooks tell of these events, one by one."""
        for kind in kinds:
            self.sequence += 1
            event = AttemptEvent(kind=kind, occurred_at=self.clock.now(), **details)
            received = ReceivedEvent(dedupe_key=key or f"event-{self.sequence}", event=event)
            await receive(
                self.database, attempt_id=attempt_id, events=[received], raw={}, now=self.clock.now()
            )

    async def complete(self) -> bool:
        """Complete the campaign if everyone is accounted for."""
        async with self.database.transaction() as session:
            return await complete_campaign(session, campaign_id=self.campaign_id, now=self.clock.now())

    async def campaign(self) -> Campaign:
        """The campaign as it stands."""
        async with self.database.session() as session:
            return await session.get_one(Campaign, self.campaign_id)

    async def attempts(self) -> list[Attempt]:
        """The ledger, in order of reservation."""
        async with self.database.session() as session:
            rows = await session.execute(
                select(Attempt)
                .where(col(Attempt.campaign_id) == self.campaign_id)
                .order_by(col(Attempt.reserved_at), col(Attempt.recipient_id), col(Attempt.ordinal))
            )
            return list(rows.scalars())

    async def recipients(self) -> list[Recipient]:
        """The campaign's recipients in dialing order."""
        async with self.database.session() as session:
            rows = await session.execute(
                select(Recipient)
                .where(col(Recipient.campaign_id) == self.campaign_id)
                .order_by(col(Recipient.position))
            )
            return list(rows.scalars())

    async def statuses(self) -> Counter[RecipientStatus]:
        """How many recipients are where."""
        return Counter(each.status for each in await self.recipients())

    async def change(self, **values: Any) -> None:
        """Change the campaign's columns behind everyone's back."""
        async with self.database.transaction() as session:
            campaign = await session.get_one(Campaign, self.campaign_id)
            for name, value in values.items():
                setattr(campaign, name, value)


async def set_stage(
    database: Database,
    *,
    contacts: int = 3,
    numbers: int = 1,
    channel: Channel = Channel.CALL,
    organization: dict[str, Any] | None = None,
    account: dict[str, Any] | None = None,
    agent: dict[str, Any] | None = None,
    step: dict[str, Any] | None = None,
    **campaign: Any,
) -> DialingStage:
    """Return a started campaign with that many people to call, and nothing else in the world."""
    clock = VirtualClock()
    async with database.transaction() as session:
        owner = await make_organization(session, **{"outbound_limit": 1000} | (organization or {}))
        line = await make_carrier_account(session, **{"calls_per_second": 1000} | (account or {}))
        speaker = await make_agent(session, owner, **(agent or {}))
        ours = [await make_number(session, owner, carrier_account_id=line.id) for _ in range(numbers)]
        values: dict[str, Any] = {
            "status": CampaignStatus.QUEUED,
            "carrier_account_id": line.id,
            "concurrent_limit": 1000,
            "rate_limit_per_minute": 1000,
            "retry_on": sorted(RETRIED_BY_DEFAULT),
            "created_at": clock.now(),
            "updated_at": clock.now(),
        }
        made = await make_campaign(
            session,
            owner,
            channel=channel,
            agent=speaker,
            number=ours[0] if numbers == 1 else None,
            pool=tuple(ours) if numbers > 1 else (),
            step=step or _step(channel),
            **values | campaign,
        )
        await _add_people(session, made, contacts, clock)
    carrier = ScriptedCarrier(now=clock.now)
    return DialingStage(database, clock, carrier, owner, line, made.id)


async def _add_people(session: AsyncSession, campaign: Campaign, contacts: int, clock: VirtualClock) -> None:
    for _ in range(contacts):
        await make_recipient(
            session, campaign, not_before=clock.now(), created_at=clock.now(), updated_at=clock.now()
        )


def _step(channel: Channel) -> dict[str, Any]:
    if channel is Channel.SMS:
        return {"sms_message_template": "Hi {{name}}."}
    return {"welcome_message_template": "Hi {{name}}.", "agenda_template": "About your appointment."}

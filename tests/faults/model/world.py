"""The verbs of the model: what workers, the carrier, operators and time can do to one campaign."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import time
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.events import EventKind
from app.domain.suppression import SuppressionScope, SuppressionSource
from app.models import Campaign
from app.providers.base import ReceivedEvent
from app.runtime.database import Database
from app.services.campaigns.lifecycle import cancel_campaign, pause_campaign, resume_campaign, retry_failed
from app.services.dialing.place.carrier_request import CarrierAnswer
from app.services.dialing.receive.webhooks import receive
from app.services.dialing.reconcile.overdue_attempts import reconcile_overdue
from app.services.dialing.reserve.reservation import Reservation
from app.services.errors import Conflict
from app.services.numbers.carriers import CarrierIdentity
from app.services.suppression.operations import suppress
from tests.faults.model.carrier import Fate, LyingCarrier, Mood
from tests.support.builders import make_recipient, principal
from tests.support.stage import DialingStage, set_stage

CONTACTS: Final = 4
LIMIT: Final = 3
PER_MINUTE: Final = 6
MAX_ATTEMPTS: Final = 2
RETRY_MINUTES: Final = 1
OPENS, CLOSES = 9, 17
ZONE: Final = "America/New_York"
_ROUNDS: Final = 60


class Broken(AssertionError):
    """A law does not hold."""


@dataclass
class Model:
    """One campaign, two workers' hands, and what was seen so far."""

    stage: DialingStage
    carrier: LyingCarrier
    in_hand: list[list[Reservation]] = field(default_factory=lambda: [[], []])
    """Reserved by each worker, and not placed yet."""
    answers: list[list[CarrierAnswer]] = field(default_factory=lambda: [[], []])
    """Placed by each worker, and not recorded yet."""
    seen: dict[UUID, Any] = field(default_factory=dict)
    """Each attempt as it stood after the step before."""

    async def reserve(self, worker: int, most: int) -> None:
        """Step one."""
        self.in_hand[worker] += await self.stage.reserve(most)

    async def place(self, worker: int, mood: Mood, fate: Fate) -> None:
        """Step two of the worker's first reservation."""
        if not self.in_hand[worker]:
            return
        reservation = self.in_hand[worker].pop(0)
        self.carrier.mood, self.carrier.fate = mood, fate
        orders = len(self.carrier.orders)
        may = await self._may_be_called(reservation)
        self.answers[worker] += await self.stage.place(reservation)
        if len(self.carrier.orders) > orders and may is not None:
            raise Broken(f"I7: {reservation.to} was called, though {may}")

    async def _may_be_called(self, reservation: Reservation) -> str | None:
        """Return why the number may not be called at this moment; asked of the rows, not of the engine."""
        if self.stage.clock.boottime() - reservation.reserved_boottime > 10:
            return "its reservation is older than 10 s"
        async with self.stage.database.session() as session:
            row = (
                await session.execute(
                    text(
                        "SELECT c.status, EXISTS (SELECT 1 FROM suppression s WHERE s.number = :to"
                        " AND s.lifted_at IS NULL) AS closed FROM campaign c WHERE c.id = :id"
                    ),
                    {"to": reservation.to, "id": reservation.campaign_id},
                )
            ).one()
        if row.status not in {"queued", "running"}:
            return f"its campaign is {row.status}"
        return "the number is suppressed" if row.closed else None

    async def record(self, worker: int) -> None:
        """Step three of all that the worker placed."""
        answers, self.answers[worker] = self.answers[worker], []
        await self.stage.record(*answers)

    def crash(self, worker: int) -> None:
        """SIGKILL: what it held is forgotten."""
        self.in_hand[worker], self.answers[worker] = [], []

    async def call_goes_on(self, which: int) -> None:
        """Let one of the open calls come to its next event."""
        if calls := self.carrier.open_calls:
            self.carrier.step(calls[which % len(calls)])

    async def deliver(self, which: int, event: int) -> None:
        """Deliver any webhook of any call: late, early, again."""
        told = [provider_id for provider_id, said in self.carrier.said.items() if said]
        if told:
            provider_id = told[which % len(told)]
            await self._deliver(provider_id, event % len(self.carrier.said[provider_id]))

    async def _deliver(self, provider_id: str, index: int) -> None:
        received = ReceivedEvent(
            dedupe_key=f"{provider_id}:{index}", event=self.carrier.said[provider_id][index]
        )
        second = await receive(
            self.stage.database,
            attempt_id=self.carrier.owners[provider_id],
            events=[received],
            raw={},
            now=self.stage.clock.now(),
        )
        if second is not None:
            raise Broken(f"I2: {second} is a second call of its attempt")

    async def reconcile(self) -> None:
        """Ask the carrier about what is overdue, and have ended what should be."""
        stage = self.stage
        await stage.end_calls()
        await reconcile_overdue(
            stage.database, self.carrier, carrier_account_id=stage.account.id, clock=stage.clock
        )

    def time_passes(self, seconds: float) -> None:
        """Let time pass; the carrier accepts what is late."""
        self.stage.clock.advance(seconds=seconds)
        self.carrier.accept_late_ones()

    async def operate(self, what: str) -> None:
        """Do what a person may do to a campaign; what is not offered in its state changes nothing."""
        acts: dict[str, Callable[..., Awaitable[Any]]] = {
            "pause": pause_campaign,
            "resume": resume_campaign,
            "cancel": cancel_campaign,
            "retry failed": retry_failed,
        }
        extra = {"carrier": self._identity()} if what in {"resume", "retry failed"} else {}
        try:
            async with self.stage.database.transaction() as session:
                await acts[what](
                    session,
                    principal=principal(self.stage.organization),
                    campaign_ref=self.stage.campaign_id,
                    now=self.stage.clock.now(),
                    **extra,
                )
        except Conflict:
            return

    def _identity(self) -> CarrierIdentity:
        account = self.stage.account
        return CarrierIdentity(
            kind=account.kind,
            account_sid=account.account_sid,
            api_url=account.api_url,
            simulated=account.simulated,
        )

    async def suppress(self, which: int) -> None:
        """Close the number of one of the people."""
        numbers = await self._numbers()
        async with self.stage.database.transaction() as session:
            await suppress(
                session,
                organization_id=self.stage.organization.id,
                number=numbers[which % len(numbers)],
                scope=SuppressionScope.ALL,
                reason="asked",
                source=SuppressionSource.MANUAL,
                actor="test",
                now=self.stage.clock.now(),
            )

    async def _numbers(self) -> Sequence[str]:
        async with self.stage.database.session() as session:
            rows = await session.execute(
                text(
                    "SELECT c.number FROM recipient r JOIN contact c ON c.id = r.contact_id"
                    " WHERE r.campaign_id = :id ORDER BY r.position"
                ),
                {"id": self.stage.campaign_id},
            )
            return list(rows.scalars())

    async def add(self) -> None:
        """Add a person, if the campaign is not over."""
        async with self.stage.database.transaction() as session:
            campaign = await session.get_one(Campaign, self.stage.campaign_id, with_for_update=True)
            if campaign.status in {"queued", "running", "paused"}:
                await _add(session, campaign, self.stage)

    async def come_to_rest(self) -> None:
        """Let everything work until the campaign has ended: nobody may be left."""
        await self.operate("resume")
        for worker in (0, 1):
            self.crash(worker)
        for _ in range(_ROUNDS):
            await self._settle_all()
            await self.reserve(0, 50)
            while self.in_hand[0]:
                await self.place(0, Mood.ACCEPTS, Fate.ANSWERED)
            await self.record(0)
            await self._settle_all()
            await self.stage.complete()
            if await self._is_over():
                return
            self.time_passes(61 if self._is_open() else 3600)
        raise Broken(f"I3: after {_ROUNDS} rounds the campaign is {(await self.stage.campaign()).status}")

    async def _settle_all(self) -> None:
        for provider_id in self.carrier.open_calls:
            while provider_id in self.carrier.open_calls:
                self.carrier.step(provider_id)
        for provider_id, said in self.carrier.said.items():
            if (
                said[-1].kind is not EventKind.FAILED
            ):  # of those that failed nothing is heard: they are looked up
                await self._deliver(provider_id, len(said) - 1)
        await self.reconcile()

    async def _is_over(self) -> bool:
        async with self.stage.database.session() as session:
            live = await session.execute(
                text(
                    "SELECT count(*) FROM attempt WHERE status IN"
                    " ('placing', 'unknown', 'review', 'queued', 'ringing', 'in_progress')"
                )
            )
        return (await self.stage.campaign()).status in {"completed", "cancelled"} and live.scalar_one() == 0

    def _is_open(self) -> bool:
        return OPENS <= self.stage.clock.now().astimezone(ZoneInfo(ZONE)).hour < CLOSES


async def _add(session: AsyncSession, campaign: Campaign, stage: DialingStage) -> None:
    now = stage.clock.now()
    await make_recipient(session, campaign, not_before=now, created_at=now, updated_at=now)


async def open_model(database: Database) -> Model:
    """Set the stage with a campaign whose limits are narrow, so that they matter."""
    stage = await set_stage(
        database,
        contacts=CONTACTS,
        organization={"frequency_cap": 0},
        concurrent_limit=LIMIT,
        rate_limit_per_minute=PER_MINUTE,
        max_attempts=MAX_ATTEMPTS,
        retry_delay_minutes=RETRY_MINUTES,
        time_zone=ZONE,
        allowed_start=time(OPENS),
        allowed_end=time(CLOSES),
    )
    carrier = LyingCarrier(now=stage.clock.now)
    stage.carrier = carrier
    return Model(stage, carrier)

"""An organization with all a campaign needs, and the operations on it in their own transactions."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.attempt import AttemptStatus, Disposition
from app.domain.campaign import CampaignStatus
from app.domain.recipient import RecipientStatus
from app.domain.rights import Role
from app.models import (
    Agent,
    Attempt,
    Campaign,
    CampaignTransition,
    CarrierAccount,
    Organization,
    PhoneNumber,
    Recipient,
    RecipientTransition,
)
from app.runtime.database import Database
from app.services.access.principal import Principal
from app.services.numbers.carriers import CarrierIdentity, ensure_carrier_account
from tests.support.builders import (
    NOON,
    make_agent,
    make_attempt,
    make_campaign,
    make_number,
    make_organization,
    make_recipient,
    principal,
)

T = TypeVar("T")

SIMULATED: Final = CarrierIdentity("twilio", "AC" + "5" * 32, "http://127.0.0.1:9", simulated=True)
"""No server listens there."""
REAL: Final = CarrierIdentity("twilio", "AC" + "7" * 32, "https://api.twilio.com", simulated=False)


@dataclass
class CampaignWorld:
    """Acme Corp: its agent Ava, one number, and its people."""

    database: Database
    organization: Organization
    agent: Agent
    number: PhoneNumber
    carrier: CarrierAccount

    def someone(self, role: Role = Role.OWNER) -> Principal:
        """Return a principal of the organization with that role."""
        return principal(self.organization, role)

    async def do(self, operation: Callable[..., Awaitable[T]], **arguments: Any) -> T:
        """Run an operation as an owner at noon, unless told otherwise, in a transaction of its own."""
        given = {"principal": self.someone(), "now": NOON} | arguments
        async with self.database.transaction() as session:
            return await operation(session, **given)

    async def ask(self, query: Callable[..., Awaitable[T]], **arguments: Any) -> T:
        """Run a query as an owner, unless told otherwise."""
        async with self.database.session() as session:
            return await query(session, **({"principal": self.someone()} | arguments))

    async def campaign(self, *, people: int = 0, **values: Any) -> int:
        """Make a campaign with that many waiting people and return its id."""
        async with self.database.transaction() as session:
            defaults = {"agent": self.agent, "number": self.number}
            made = await make_campaign(session, self.organization, **defaults | values)
            for _ in range(people):
                await make_recipient(session, made)
            return made.id

    async def recipient(
        self, campaign_id: int, status: RecipientStatus = RecipientStatus.PENDING, **values: Any
    ) -> int:
        """Add one more person in that status and return the recipient's id."""
        async with self.database.transaction() as session:
            campaign = await session.get_one(Campaign, campaign_id)
            return (await make_recipient(session, campaign, status=status, **values)).id

    async def attempt(
        self,
        recipient_id: int,
        status: AttemptStatus = AttemptStatus.COMPLETED,
        disposition: Disposition | None = None,
        **values: Any,
    ) -> Attempt:
        """Add an attempt for that recipient."""
        async with self.database.transaction() as session:
            recipient = await session.get_one(Recipient, recipient_id)
            return await make_attempt(
                session,
                recipient,
                number=self.number,
                status=status,
                carrier_account=self.carrier,
                disposition=disposition,
                **values,
            )

    async def row(self, campaign_id: int) -> Campaign:
        """Return the campaign as it stands."""
        async with self.database.session() as session:
            return await session.get_one(Campaign, campaign_id)

    async def person(self, recipient_id: int) -> Recipient:
        """Return the recipient as it stands."""
        async with self.database.session() as session:
            return await session.get_one(Recipient, recipient_id)

    async def status(self, campaign_id: int) -> CampaignStatus:
        """Return where the campaign is."""
        return (await self.row(campaign_id)).status

    async def people(self, campaign_id: int) -> dict[RecipientStatus, int]:
        """Return how many people are in each status."""
        async with self.database.session() as session:
            counted = await session.execute(
                select(col(Recipient.status), func.count())
                .where(col(Recipient.campaign_id) == campaign_id)
                .group_by(col(Recipient.status))
            )
            return dict(counted.all())

    async def history(self, campaign_id: int) -> list[tuple[str, str, str]]:
        """Return (old, new, actor) of the campaign, in order."""
        async with self.database.session() as session:
            rows = await session.execute(
                select(CampaignTransition)
                .where(col(CampaignTransition.campaign_id) == campaign_id)
                .order_by(col(CampaignTransition.id))
            )
            return [(row.old, row.new, row.actor) for row in rows.scalars()]

    async def path(self, recipient_id: int) -> list[tuple[str, str]]:
        """Return (old, new) of the recipient, in order."""
        async with self.database.session() as session:
            rows = await session.execute(
                select(RecipientTransition)
                .where(col(RecipientTransition.recipient_id) == recipient_id)
                .order_by(col(RecipientTransition.id))
            )
            return [(row.old, row.new) for row in rows.scalars()]


async def build_world(database: Database) -> CampaignWorld:
    """Make Acme Corp."""
    async with database.transaction() as session:
        return await _build(database, session)


async def _build(database: Database, session: AsyncSession) -> CampaignWorld:
    organization = await make_organization(session)
    return CampaignWorld(
        database=database,
        organization=organization,
        agent=await make_agent(session, organization),
        number=await make_number(session, organization),
        carrier=await ensure_carrier_account(session, SIMULATED, now=NOON),
    )

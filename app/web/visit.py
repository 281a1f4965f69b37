"""What the guard hands to a member's event handler: on whose behalf it runs, and the seams it may use."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from app.providers.base import ConfiguredAccount
from app.providers.registry import configured_account
from app.runtime.config import Settings
from app.runtime.context import AppContext
from app.runtime.jobs import Job
from app.services.access.principal import Principal
from app.services.campaigns.carrier_check import CarrierCheck, ask_carrier
from app.services.numbers.carriers import CarrierIdentity, identity_of

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Visit:
    """One authorised event of a page: its member, the time, and the ways to answer it."""

    context: AppContext
    principal: Principal

    @property
    def now(self) -> datetime:
        """The time, read anew each time it is asked for: a handler that watches runs for hours."""
        return self.context.clock.now()

    @property
    def settings(self) -> Settings:
        """The settings of this installation."""
        return self.context.settings

    def reading(self) -> AbstractAsyncContextManager[AsyncSession]:
        """Return a session to read in."""
        return self.context.database.session()

    async def write(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        """Do the work in one transaction, as `Database.write` does: once more if it lost a deadlock."""
        return await self.context.database.write(work)

    async def hint(self, job: Job, row_id: int) -> None:
        """Ask a worker to begin what is committed, as `JobQueue.hint` does."""
        await self.context.queue.hint(job, row_id)

    def carrier(self) -> CarrierIdentity:
        """Return the carrier account this installation dials through. Raises `CarrierNotConfigured`."""
        return identity_of(self.carrier_account())

    def carrier_account(self) -> ConfiguredAccount:
        """Return that account with all that it takes to ask the carrier. Raises `CarrierNotConfigured`."""
        return configured_account(self.context.settings)

    async def ask_carrier(self, campaign_id: int) -> CarrierCheck:
        """Ask the carrier what to consider before the campaign starts; outside any transaction."""
        return await ask_carrier(
            self.context.database,
            principal=self.principal,
            campaign_ref=campaign_id,
            account=self.carrier_account(),
        )

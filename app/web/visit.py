"""The first argument of a member's event handler: the member, the time, the database and the other services."""

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
    """One authorised event of a page, with all that its handler needs."""

    context: AppContext
    principal: Principal

    @property
    def now(self) -> datetime:
        """The present time, read again at each access: a handler that watches runs for hours."""
        return self.context.clock.now()

    @property
    def settings(self) -> Settings:
        """The settings of this installation."""
        return self.context.settings

    def reading(self) -> AbstractAsyncContextManager[AsyncSession]:
        """Return a session to read in."""
        return self.context.database.session()

    async def write(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        """Do the work in one transaction, as `Database.write` does, and repeat it after a deadlock."""
        return await self.context.database.write(work)

    async def hint(self, job: Job, row_id: int) -> None:
        """Tell a worker that there is committed work, as `JobQueue.hint` does."""
        await self.context.queue.hint(job, row_id)

    def carrier(self) -> CarrierIdentity:
        """Return the carrier account this installation dials through. Raises `CarrierNotConfigured`."""
        return identity_of(self.carrier_account())

    def carrier_account(self) -> ConfiguredAccount:
        """Return that account with its credentials. Raises `CarrierNotConfigured`."""
        return configured_account(self.context.settings)

    async def ask_carrier(self, campaign_id: int) -> CarrierCheck:
        """Ask the carrier about account and numbers before the campaign starts. Call it outside any transaction."""
        return await ask_carrier(
            self.context.database,
            principal=self.principal,
            campaign_ref=campaign_id,
            account=self.carrier_account(),
        )

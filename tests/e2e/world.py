"""What a journey finds in place: an organization with its people, agent, numbers, and campaigns."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any, Final

from playwright.sync_api import BrowserContext
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.legal_policy import LegalPolicy
from app.domain.rights import Role
from app.models import ContactImport, Member, UserSession
from app.providers.registry import configured_account
from app.services.access.members import create_user
from app.services.access.organizations import console_principal, get_or_create_organization
from app.services.access.principal import Principal
from app.services.access.sessions import SESSION_COOKIE, begin_session
from app.services.agents.operations import create_agent
from app.services.campaigns.adding import add_contacts
from app.services.campaigns.detail import get_campaign
from app.services.campaigns.lifecycle import pause_campaign, resume_campaign, start_campaign
from app.services.campaigns.operations import create_campaign, update_campaign
from app.services.campaigns.settings import CampaignSettings
from app.services.contacts.operations import create_contact
from app.services.numbers.adding import add_carrier_numbers
from app.services.numbers.carriers import identity_of
from app.services.numbers.queries import list_numbers
from tests.e2e.installation import Installation
from tests.support.numbers import new_number

PASSWORD: Final = "correct horse battery staple"

_AREAS: Final = (201, 202, 415, 312, 718)
"""Of each world's numbers."""

_serial = count(1)


@dataclass(frozen=True)
class Person:
    """A member who can sign in."""

    user_id: int
    email: str
    role: Role


@dataclass(frozen=True)
class Contact:
    """Somebody to call."""

    name: str
    number: str
    pretty: str


@dataclass
class BrowserWorld:
    """One organization. Made by the product's own services; every world is apart from every other."""

    installation: Installation
    principal: Principal
    agent_id: int
    number_ids: list[int] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)

    @property
    def slug(self) -> str:
        """The organization's part of its addresses."""
        return self.principal.organization_slug

    def address(self, path: str) -> str:
        """The address of one of the organization's pages: "campaigns", "campaigns/7/calls"."""
        return f"{self.installation.url}/{self.slug}/{path}"

    def member(self, role: Role = Role.MANAGER) -> Person:
        """Somebody of that role. No owner is needed by default: with none the set-up link stays good."""
        email = f"{role}{next(_serial)}@example.com"

        async def make(session: AsyncSession) -> int:
            user = await create_user(
                session,
                email=email,
                password=PASSWORD,
                name=f"{role.capitalize()} Jones",
                organization_name=self.principal.organization_name,
                role=role,
                now=self.now,
            )
            return user.id

        return Person(self.installation.services.do(make), email, role)

    def session_of(self, person: Person) -> str:
        """Begin a session for the person, and return the value of its cookie."""

        async def make(session: AsyncSession) -> str:
            return await begin_session(session, user_id=person.user_id, user_agent="journey", now=self.now)

        return self.installation.services.do(make)

    def sign_in(self, context: BrowserContext, person: Person) -> None:
        """Give the browser the person's session without the sign-in page."""
        context.add_cookies(
            [
                {
                    "name": SESSION_COOKIE,
                    "value": self.session_of(person),
                    "url": self.installation.url,
                    "httpOnly": True,
                    "sameSite": "Lax",
                }
            ]
        )

    def sign_out_everywhere(self, person: Person) -> None:
        """End the person's sessions as if from another machine."""

        async def end(session: AsyncSession) -> None:
            await session.execute(
                update(UserSession)
                .where(col(UserSession.user_id) == person.user_id)
                .values(revoked_at=self.now)
            )

        self.installation.services.do(end)

    def imports(self) -> list[str]:
        """The names of the files that were brought."""

        async def read(session: AsyncSession) -> list[str]:
            mine = col(ContactImport.organization_id) == self.principal.organization_id
            return list(await session.scalars(select(col(ContactImport.file_name)).where(mine)))

        return self.installation.services.do(read)

    def make(self, person: Person, role: Role) -> None:
        """Give the person another role."""

        async def change(session: AsyncSession) -> None:
            await session.execute(
                update(Member).where(col(Member.user_id) == person.user_id).values(role=role)
            )

        self.installation.services.do(change)

    def contacts(self, count_: int, persona: str = "answers_confirms") -> list[Contact]:
        """New people, who behave like this when called."""
        return [self._contact(next(_serial), persona) for _ in range(count_)]

    def campaign(self, name: str, contacts: Sequence[Contact], **settings: Any) -> int:
        """A draft that is ready to start: one try each, at full speed, unless told otherwise."""

        async def make(session: AsyncSession) -> int:
            changes = {
                **_READY,
                "name": name,
                "agent_id": self.agent_id,
                "phone_number_id": self.number_ids[0],
            }
            campaign_id = await create_campaign(
                session, principal=self.principal, changes={**changes, **settings}, now=self.now
            )
            ids = [
                await create_contact(
                    session,
                    principal=self.principal,
                    changes={"number": contact.number, "name": contact.name},
                    now=self.now,
                )
                for contact in contacts
            ]
            await add_contacts(
                session, principal=self.principal, campaign_ref=campaign_id, contact_ids=ids, now=self.now
            )
            return campaign_id

        return self.installation.services.do(make)

    def change(self, campaign_id: int, **changes: Any) -> None:
        """Change a campaign's settings as another browser would."""
        self.installation.services.do(
            lambda session: update_campaign(
                session,
                principal=self.principal,
                campaign_ref=campaign_id,
                changes=changes,
                now=self.now,
            )
        )

    def settings(self, campaign_id: int) -> CampaignSettings:
        """Return a campaign's settings as its row holds them."""
        return self.installation.services.do(
            lambda session: get_campaign(session, principal=self.principal, campaign_ref=campaign_id)
        ).settings

    def pause_before_its_start(self, campaign_id: int) -> None:
        """Schedule it for tomorrow, and pause it: a paused campaign of which nothing has been placed."""
        tomorrow = (self.now + timedelta(days=1)).isoformat()
        self.change(campaign_id, schedule_type="scheduled", scheduled_at=tomorrow)
        services = self.installation.services
        carrier = identity_of(configured_account(services.context.settings))
        whose: dict[str, Any] = {"principal": self.principal, "campaign_ref": campaign_id, "now": self.now}
        services.do(lambda session: start_campaign(session, carrier=carrier, **whose))
        services.do(lambda session: pause_campaign(session, **whose))

    def resume(self, campaign_id: int) -> None:
        """Resume it, as another person does."""
        services = self.installation.services
        carrier = identity_of(configured_account(services.context.settings))
        whose: dict[str, Any] = {"principal": self.principal, "campaign_ref": campaign_id, "now": self.now}
        services.do(lambda session: resume_campaign(session, carrier=carrier, **whose))

    @property
    def now(self) -> Any:
        """The time, by the product's clock."""
        return self.installation.services.context.clock.now()

    def _contact(self, serial: int, persona: str) -> Contact:
        number = new_number(area=212)
        self.installation.carrier.person(number, persona)
        return Contact(f"Person {serial}", number, f"(212) {number[5:8]}-{number[8:]}")


_READY: Final[dict[str, Any]] = {
    "channel": "call",
    "welcome_message_template": "Hi {{name}}, this is {{assistant_name}}.",
    "question_template": "Press 1 or say yes to confirm, press 2 or say no to decline.",
    "concurrent_limit": 5,
    "rate_limit_per_minute": 1000,
    "max_attempts": 1,
    "retry_delay_minutes": 0,
}


def make_world(installation: Installation) -> BrowserWorld:
    """A new organization with an agent, and numbers of its own at the simulated carrier."""
    name = f"Acme {next(_serial)}"
    numbers = [installation.carrier.own(new_number(area)) for area in _AREAS]

    async def make(session: AsyncSession) -> BrowserWorld:
        now = installation.services.context.clock.now()
        organization = await get_or_create_organization(session, name=name, now=now)
        organization.legal_policy = LegalPolicy.OFF  # Tests run at any hour.
        principal = console_principal(organization)
        agent_id = await create_agent(session, principal=principal, changes={"name": "Ava"}, now=now)
        await add_carrier_numbers(session, principal=principal, identity=None, numbers=numbers, now=now)
        world = BrowserWorld(installation, principal, agent_id, numbers=numbers)
        world.number_ids = await _number_ids(session, principal)
        return world

    return installation.services.do(make)


async def _number_ids(session: AsyncSession, principal: Principal) -> list[int]:
    return [number.id for number in await list_numbers(session, principal=principal)]

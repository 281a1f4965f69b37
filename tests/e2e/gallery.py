"""What the pictures show: an organization set up with sample data, and campaigns in every stage."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Final
from zoneinfo import ZoneInfo

from playwright.sync_api import BrowserContext
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.campaign import CampaignStatus
from app.domain.recipient import RecipientStatus
from app.domain.rights import Role
from app.domain.suppression import SuppressionScope
from app.installation.processes import wait_until
from app.models import Campaign, Contact
from app.providers.registry import configured_account
from app.services.access.keys import create_key
from app.services.access.members import create_user, list_members
from app.services.access.organizations import console_principal, get_or_create_organization
from app.services.access.principal import Principal
from app.services.access.sessions import SESSION_COOKIE, begin_session
from app.services.access.set_up_links import issue_setup_link
from app.services.agents.operations import create_agent
from app.services.agents.queries import list_agents
from app.services.campaigns.adding import add_contacts
from app.services.campaigns.brief import recipient_counts
from app.services.campaigns.lifecycle import cancel_campaign, pause_campaign, start_campaign
from app.services.campaigns.lists import list_campaigns
from app.services.campaigns.operations import create_campaign, update_campaign
from app.services.campaigns.settings import WORKING_HOURS
from app.services.contacts.holding import hold_contact
from app.services.contacts.operations import create_contact
from app.services.first_run import complete_setup
from app.services.numbers.carriers import identity_of
from app.services.numbers.operations import set_default_number, update_number
from app.services.numbers.queries import list_numbers
from app.services.suppression.operations import suppress_contact
from tests.e2e.gallery_people import bring_people
from tests.e2e.installation import Installation
from tests.e2e.world import PASSWORD

ORGANIZATION: Final = "Northwind Clinics"
OWNER: Final = "ann@example.com"
_LIVELY: Final = 4.0
"""How much faster than life the running campaign runs: it is still running in the last picture."""
_SECONDS: Final = 60
_SOME: Final = 5
_FIRST: Final = ("Ada", "Ben", "Chloe", "Dario", "Elena", "Farid", "Grace", "Hugo", "Ines", "Jonas")
_LAST: Final = ("Abbott", "Brandt", "Castillo", "Dupont", "Eriksen", "Fischer", "Garcia", "Haddad")
_WORDS: Final[dict[str, Any]] = {
    "channel": "call",
    "welcome_message_template": "Hi {{name}}, this is {{assistant_name}} from {{company}}.",
    "agenda_template": "You have an appointment with us on {{day}}.",
    "question_template": "Will you come? Say yes or press 1. Say no or press 2.",
    "end_call_message_template": "Thank you, goodbye.",
    "fallback_values": {"name": "there", "day": "Tuesday"},
    "rate_limit_per_minute": 600,
    "max_attempts": 1,
}
_SECOND_AGENT: Final[dict[str, Any]] = {
    "name": "Oliver",
    "description": "Calm and formal. Calls about invoices.",
    "voice": "Polly.Arthur-Neural",
    "language": "en-GB",
    "max_concurrent_calls": 3,
}

_serial = count(1)


@dataclass
class Gallery:
    """The organization, its campaigns by stage, and the way in."""

    installation: Installation
    principal: Principal
    campaigns: dict[str, int] = field(default_factory=dict)

    def address(self, path: str) -> str:
        """The address of a page, with the campaigns' ids filled in."""
        return f"/{self.principal.organization_slug}/{path.format(**self.campaigns)}"

    def sign_in(self, context: BrowserContext) -> None:
        """Give the browser the owner's session."""

        async def make(session: AsyncSession) -> str:
            user_id = self.principal.user_id or 0
            return await begin_session(
                session, user_id=user_id, user_agent="camera", now=_now(self.installation)
            )

        token = self.installation.services.do(make)
        context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": self.installation.url}])


def set_up_link(installation: Installation) -> str:
    """Return the path of a fresh set-up link."""

    async def make(session: AsyncSession) -> str:
        return f"/setup?token={await issue_setup_link(session, now=_now(installation))}"

    return installation.services.do(make)


def make_gallery(installation: Installation) -> Gallery:
    """Set everything up by the product's own services, and let its campaigns come to their stages."""
    gallery = Gallery(installation, _owner(installation))
    do = installation.services.do
    do(lambda session: _furnish(session, gallery))
    do(lambda session: bring_people(session, owner=gallery.principal, now=_now(installation)))
    completed = _campaign(gallery, "Spring check-ups", 36)
    _start(gallery, completed)
    _wait_for(gallery, completed, CampaignStatus.COMPLETED)
    paused = _campaign(gallery, "Overdue invoices", 20, concurrent_limit=2)
    _start(gallery, paused)
    _wait_for(gallery, paused, CampaignStatus.RUNNING)
    now = _now(installation)
    do(lambda session: pause_campaign(session, principal=gallery.principal, campaign_ref=paused, now=now))
    scheduled = {"schedule_type": "scheduled", "scheduled_at": (now + timedelta(days=2)).isoformat()}
    _start(gallery, _campaign(gallery, "Flu shots: first call", 15, **scheduled))
    gallery.campaigns |= {"piloted": _piloted(gallery), "stopped": _stopped(gallery)}
    gallery.campaigns |= {"lacking": _lacking(gallery, "call"), "lacking_texts": _lacking(gallery, "sms")}
    gallery.campaigns |= {"waiting": _waiting(gallery)}
    gallery.campaigns |= {"cancelled": _cancelled(gallery), "failed": _failed(gallery)}
    running = _campaign(gallery, "Appointment reminders", 400, concurrent_limit=4)
    _start(gallery, running)
    _wait_for(gallery, running, CampaignStatus.RUNNING)
    installation.carrier.speed(_LIVELY)
    gallery.campaigns |= {"completed": completed, "paused": paused, "running": running}
    return gallery


def _piloted(gallery: Gallery) -> int:
    """Return a campaign whose pilot is done, with a ramp and a budget."""
    guards = {"pilot_size": 10, "ramp": True, "budget_cap": 25}
    piloted = _campaign(gallery, "Membership renewals", 60, concurrent_limit=10, **guards)
    _start(gallery, piloted)
    _wait_for(gallery, piloted, CampaignStatus.PAUSED)
    return piloted


def _waiting(gallery: Gallery) -> int:
    """Return a campaign that calls where it is as late as in New York now: others wait, one is held, some try again."""
    now = _now(gallery.installation)
    hour = now.astimezone(ZoneInfo("America/New_York")).hour
    window = {"days": list(range(1, 8)), "start": f"{hour:02}:00", "end": f"{(hour + 1) % 24:02}:00"}
    areas = (212, 213, 808, 303, 800, 212, 212, 305)
    people = [_person(next(_serial)) for _ in areas]
    for person, area in zip(people, areas, strict=True):
        person["number"] = f"+1{area}556{person['number'][-4:]}"
        gallery.installation.carrier.person(person["number"], "no_answer")
    waiting = _campaign_of(
        gallery,
        "Evening reminders",
        people,
        max_attempts=3,
        retry_delay_minutes=45,
        calling_clock="contact",
        calling_windows=[window],
    )

    async def hold(session: AsyncSession) -> None:
        found = select(col(Contact.id)).where(col(Contact.number) == people[-1]["number"])
        contact_id = (await session.execute(found)).scalar_one()
        until = (now + timedelta(days=12)).date().isoformat()
        await hold_contact(
            session,
            principal=gallery.principal,
            contact_id=contact_id,
            until=until,
            reason="on holiday",
            now=now,
        )

    gallery.installation.services.do(hold)
    _start(gallery, waiting)
    _wait_for(gallery, waiting, CampaignStatus.RUNNING)
    return waiting


def _stopped(gallery: Gallery) -> int:
    """Return a campaign that its breaker paused: nearly everybody turns its calls away."""
    first = next(_serial)
    for serial in range(first + 3, first + 40):
        gallery.installation.carrier.person(_person(serial)["number"], "rejects")
    stopped = _campaign(gallery, "Feedback after a visit", 40, concurrent_limit=10)
    _start(gallery, stopped)
    _wait_for(gallery, stopped, CampaignStatus.PAUSED)
    return stopped


def _lacking(gallery: Gallery, channel: str) -> int:
    """Return a draft of 31 people of whom 5 lack what its message says and are skipped."""
    words = {"sms_message_template": "Hi {{first_name}}, see you on {{day}}. {{company}}"}
    settings = {**words, "channel": channel, "missing": "skip", "fallback_values": {}}
    name = "Dental check-ups by text" if channel == "sms" else "Dental check-ups"
    whole = [_person(next(_serial)) for _ in range(26)]
    nameless, *dayless = [_person(next(_serial)) for _ in range(5)]
    lacking = [nameless | {"name": ""}, *(person | {"fields": {}} for person in dayless)]
    return _campaign_of(gallery, name, [*whole, *lacking], **settings)


def _cancelled(gallery: Gallery) -> int:
    """Return a campaign that was cancelled half-way."""
    cancelled = _campaign(gallery, "Winter recall", 31, concurrent_limit=2)
    _start(gallery, cancelled)
    services, now = gallery.installation.services, _now(gallery.installation)

    def has_called_some() -> bool:
        counts = services.do(lambda session: recipient_counts(session, cancelled))
        return counts[RecipientStatus.COMPLETED] >= _SOME

    assert wait_until(has_called_some, seconds=_SECONDS, interval=0.2), "the campaign reached nobody"
    services.do(
        lambda session: cancel_campaign(session, principal=gallery.principal, campaign_ref=cancelled, now=now)
    )
    return cancelled


def _failed(gallery: Gallery) -> int:
    """Return a campaign that failed because the carrier suspended the account, a few calls under way."""
    failed = _campaign(gallery, "Winter tyre offers", 30, concurrent_limit=2)
    _start(gallery, failed)
    _wait_for(gallery, failed, CampaignStatus.RUNNING)
    gallery.installation.carrier.faults(account_suspended=1)
    _wait_for(gallery, failed, CampaignStatus.FAILED)
    gallery.installation.carrier.faults()
    return failed


def _owner(installation: Installation) -> Principal:
    """Set up as the set-up page does, and return the owner."""

    async def make(session: AsyncSession) -> Principal:
        now = _now(installation)
        await complete_setup(
            session,
            token=await issue_setup_link(session, now=now) or "",
            email=OWNER,
            password=PASSWORD,
            name="Ann Meyer",
            organization_name=ORGANIZATION,
            load_sample_data=True,
            now=now,
        )
        await create_user(
            session,
            email="ben@example.com",
            password=PASSWORD,
            name="Ben Ortiz",
            organization_name=ORGANIZATION,
            role=Role.OPERATOR,
            now=now,
        )
        organization = await get_or_create_organization(session, name=ORGANIZATION, now=now)
        console = console_principal(organization)
        members = await list_members(session, principal=console)
        owner = next(member for member in members if member.email == OWNER)
        return replace(console, user_id=owner.user_id, actor=OWNER)

    return installation.services.do(make)


async def _furnish(session: AsyncSession, gallery: Gallery) -> None:
    """Add what the sample data lacks: a second agent, labels, a default, a suppression, a key, hours."""
    principal, now = gallery.principal, _now(gallery.installation)
    numbers = await list_numbers(session, principal=principal)
    for number, label in zip(numbers, ("Front desk", "Billing", "Campaigns"), strict=False):
        await update_number(
            session, principal=principal, number_ref=number.id, changes={"label": label}, said=None, now=now
        )
    await set_default_number(session, principal=principal, number_ref=numbers[0].id, now=now)
    await create_agent(session, principal=principal, changes=_SECOND_AGENT, now=now)
    await create_key(session, principal=principal, name="CRM", role=Role.MANAGER, now=now)
    await suppress_contact(
        session,
        principal=principal,
        number="+15559876543",
        scope=SuppressionScope.VOICE,
        reason="Asked by e-mail to be texted only",
        now=now,
    )
    drafts = await list_campaigns(session, principal=principal)
    gallery.campaigns["draft"] = draft = drafts.items[0].id
    await update_campaign(session, principal=principal, campaign_ref=draft, changes=WORKING_HOURS, now=now)


def _campaign(gallery: Gallery, name: str, people: int, **settings: Any) -> int:
    """Return a draft with that many new contacts."""
    return _campaign_of(gallery, name, [_person(next(_serial)) for _ in range(people)], **settings)


def _campaign_of(gallery: Gallery, name: str, people: Sequence[dict[str, Any]], **settings: Any) -> int:
    """Return a draft with these new contacts."""
    principal, now = gallery.principal, _now(gallery.installation)

    async def make(session: AsyncSession) -> int:
        agent = next(one for one in await list_agents(session, principal=principal) if one.name == "Ava")
        changes = {**_WORDS, **settings, "name": name, "agent_id": agent.id}
        campaign_id = await create_campaign(session, principal=principal, changes=changes, now=now)
        ids = [
            await create_contact(session, principal=principal, changes=person, now=now) for person in people
        ]
        await add_contacts(session, principal=principal, campaign_ref=campaign_id, contact_ids=ids, now=now)
        return campaign_id

    return gallery.installation.services.do(make)


def _person(serial: int) -> dict[str, Any]:
    first, last = _FIRST[serial % len(_FIRST)], _LAST[serial // len(_FIRST) % len(_LAST)]
    return {
        "number": f"+1212555{serial:04}",
        "name": f"{first} {last}",
        "email": f"{first}.{last}@example.com".lower(),
        "tags": [("new", "returning", "vip")[serial % 3]],
        "fields": {"day": ("Monday", "Tuesday", "Friday")[serial % 3]},
    }


def _start(gallery: Gallery, campaign_id: int) -> None:
    services = gallery.installation.services
    carrier = identity_of(configured_account(services.context.settings))
    services.do(
        lambda session: start_campaign(
            session,
            principal=gallery.principal,
            campaign_ref=campaign_id,
            now=_now(gallery.installation),
            carrier=carrier,
        )
    )


def _wait_for(gallery: Gallery, campaign_id: int, status: CampaignStatus) -> None:
    async def read(session: AsyncSession) -> CampaignStatus:
        return (await session.get_one(Campaign, campaign_id)).status

    def is_there() -> bool:
        return gallery.installation.services.do(read) == status

    assert wait_until(is_there, seconds=_SECONDS, interval=0.2), f"campaign {campaign_id} is not {status}"


def _now(installation: Installation) -> datetime:
    return installation.services.context.clock.now()

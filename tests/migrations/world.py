"""A small world with a row in every table: an organization that imports, calls, texts and is told to stop."""

from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from app.domain.audience import AudienceMode
from app.domain.bulk_change import BulkAction
from app.domain.campaign import Channel
from app.domain.contact_filter import Condition, ContactFilter, Op, as_json
from app.domain.events import AnsweredBy, EventKind
from app.domain.legal_policy import LegalPolicy
from app.domain.rights import Role
from app.domain.suppression import SuppressionScope
from app.models import (
    AttemptTurn,
    BreakerTrip,
    IdempotencyKey,
    ImportBatch,
    Installation,
    KnownBrowser,
    LegalPolicyChange,
    SetupLink,
    SignInFailure,
    SignInTicket,
    UserSession,
    WorkerHeartbeat,
)
from app.models.columns import Row
from app.runtime.database import Database
from app.services.access.keys import create_key
from app.services.access.principal import Principal
from app.services.campaigns.audiences import AudienceRule, add_audience
from app.services.contacts.bulk import begin_bulk_change
from app.services.imports.operations import import_file, queue_import, store_import
from app.services.segments.operations import create_segment
from app.services.suppression.importing import import_suppressions
from app.services.suppression.operations import suppress_contact
from tests.support.builders import make_campaign, make_contact, make_member, principal
from tests.support.stage import DialingStage, set_stage

_K: Final = EventKind
_PEOPLE: Final = b"""phone,name,city,deal stage
+12025550111,Jo Park,Boston,proposal
+12025550112,Mia Stone,Denver,won
12,Ola Short,Miami,proposal
"""
_STOPS: Final = b"phone,reason\n+12025550121,asked us by letter\n12,unreadable\n"
_VIPS: Final = ContactFilter((Condition("tags", Op.ANY_OF, ("vip",)),))


async def make_world(database: Database) -> None:
    """Fill an empty database, as the services write and, where that would be long, with plain rows."""
    stage = await set_stage(database, contacts=5, numbers=2, pilot_size=10, budget_cap=Decimal(100))
    owner = principal(stage.organization)
    await _call(stage)
    await _text(database)
    await _import(stage, owner)
    await _choose_people(stage, owner)
    await _stop_people(stage, owner)
    await _sign_in(stage)
    await _loosen_the_law(stage)
    await _run_processes(stage)


async def _loosen_the_law(stage: DialingStage) -> None:
    """An owner switches legal hours off, and gives a reason."""
    await _store(
        stage.database,
        LegalPolicyChange(
            organization_id=stage.organization.id,
            old=LegalPolicy.LAW,
            new=LegalPolicy.OFF,
            reason="Everybody here asked to be called at night.",
            actor="ann@example.com",
            at=stage.clock.now(),
        ),
    )


async def _call(stage: DialingStage) -> None:
    """One is answered and stops us, one is busy, one is called twice by the carrier, one rings, one waits."""
    answered, busy, twice, ringing = await stage.dial(most=4)
    await stage.hear(answered.attempt_id, _K.RINGING, _K.ANSWERED, answered_by=AnsweredBy.HUMAN)
    await stage.hear(answered.attempt_id, _K.REPLIED, reply="yes")
    await stage.hear(answered.attempt_id, _K.OPTED_OUT)
    await stage.hear(answered.attempt_id, _K.COMPLETED, duration_seconds=31, price="0.014", price_unit="USD")
    await stage.hear(busy.attempt_id, _K.BUSY)
    await stage.hear(twice.attempt_id, _K.RINGING, provider_id="CA" + "2" * 32)
    await stage.hear(ringing.attempt_id, _K.RINGING)
    await _store(
        stage.database,
        AttemptTurn(
            attempt_id=answered.attempt_id,
            dedupe_key="welcome",
            speaker="agent",
            text="Hello.",
            at=stage.clock.now(),
        ),
        BreakerTrip(
            campaign_id=stage.campaign_id,
            sign="failure_rate",
            measured=60.0,
            threshold=50.0,
            window=5,
            attempt_ids=[busy.attempt_id],
            at=stage.clock.now(),
        ),
    )


async def _text(database: Database) -> None:
    """Another organization, which texts."""
    stage = await set_stage(database, contacts=1, channel=Channel.SMS)
    (delivered,) = await stage.dial()
    await stage.hear(delivered.attempt_id, _K.SENT, _K.DELIVERED)


async def _import(stage: DialingStage, owner: Principal) -> None:
    """Two files, the second of which changes who is there and brings them to a campaign, and one under way."""
    now = stage.clock.now()
    async with stage.database.transaction() as session:
        draft = await make_campaign(session, stage.organization, name="Autumn leads")
        for campaign, name, data in (
            (None, "fair.csv", _PEOPLE),
            (draft.id, "moved.csv", _PEOPLE.replace(b"Jo Park", b"Joan Park").replace(b"Boston", b"Salem")),
        ):
            await import_file(
                session, principal=owner, campaign_ref=campaign, file_name=name, data=data, now=now
            )
        waiting, _ = await store_import(
            session, principal=owner, campaign_ref=None, file_name="late.csv", data=_PEOPLE, now=now
        )
        await queue_import(session, principal=owner, import_ref=waiting, now=now)
    await _store(stage.database, ImportBatch(import_id=waiting, position=0, numbers=bytes(8), place={}))


async def _choose_people(stage: DialingStage, owner: Principal) -> None:
    """A segment, people who are added to a campaign by a rule, and a tag for all of them."""
    now = stage.clock.now()
    async with stage.database.transaction() as session:
        await make_contact(session, stage.organization, tags=["vip"], consent_at=now)
        await create_segment(
            session, principal=owner, changes={"name": "VIPs", "filter": as_json(_VIPS)}, now=now
        )
        await add_audience(
            session,
            principal=owner,
            campaign_ref=stage.campaign_id,
            rule=AudienceRule(filter=_VIPS),
            mode=AudienceMode.STANDING,
            now=now,
        )
        await begin_bulk_change(
            session,
            principal=owner,
            action=BulkAction.TAG,
            arguments={"tags": ["autumn"]},
            wanted=_VIPS,
            now=now,
        )


async def _stop_people(stage: DialingStage, owner: Principal) -> None:
    """Numbers never to contact: one by hand, and a file with a row that cannot be read."""
    async with stage.database.transaction() as session:
        await suppress_contact(
            session,
            principal=owner,
            number="+12025550122",
            scope=SuppressionScope.ALL,
            reason="Asked us to stop",
            now=stage.clock.now(),
        )
    progress = import_suppressions(
        stage.database,
        principal=owner,
        file_name="stops.csv",
        data=_STOPS,
        scope=SuppressionScope.VOICE,
        reason="",
        clock=stage.clock,
    )
    async for _ in progress:
        pass


async def _sign_in(stage: DialingStage) -> None:
    """A person with every secret that can be theirs; the hashes are made up."""
    now = stage.clock.now()
    later = now + timedelta(days=14)
    async with stage.database.transaction() as session:
        user = await make_member(session, stage.organization)
        await create_key(
            session, principal=principal(stage.organization), name="CRM", role=Role.VIEWER, now=now
        )
    browser = KnownBrowser(token_hash="browser", user_id=user.id, expires_at=later)
    await _store(stage.database, browser)
    await _store(
        stage.database,
        UserSession(token_hash="session", user_id=user.id, created_at=now, expires_at=later),
        SignInTicket(token_hash="ticket", user_id=user.id, expires_at=later),
        SignInFailure(email=user.email, address="192.0.2.1", browser_id=browser.id, at=now),
        SignInFailure(email="nobody@example.com", address="192.0.2.1", at=now),
        SetupLink(token_hash="link", created_at=now, expires_at=later, used_at=now),
    )


async def _run_processes(stage: DialingStage) -> None:
    now = stage.clock.now()
    key: dict[str, Any] = {"organization_id": stage.organization.id, "request_hash": "request"}
    await _store(
        stage.database,
        Installation(secret_digest="digest", secret_since=now),
        WorkerHeartbeat(worker="worker-1", queue="dial", started_at=now, seen_at=now),
        IdempotencyKey(**key, key="answered", status_code=201, body={"id": 1}, created_at=now),
        IdempotencyKey(**key, key="under way", created_at=now),
    )


async def _store(database: Database, *rows: Row) -> None:
    async with database.transaction() as session:
        session.add_all(rows)

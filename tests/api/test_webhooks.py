"""The carrier's way in, on a real database: what is believed is stored and applied, and nothing else is."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from urllib.parse import urlencode, urlsplit
from uuid import UUID, uuid4
from xml.etree.ElementTree import fromstring

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col
from starlette.applications import Starlette

from app.api.webhooks import AnswerWebhooks, Intake
from app.domain.attempt import AttemptStatus, Disposition
from app.domain.campaign import CampaignStatus, Channel
from app.domain.recipient import RecipientStatus
from app.models import Attempt, AttemptTurn, ProviderEvent, Recipient
from app.providers.base import ConfiguredAccount
from app.providers.twilio.client import TwilioCarrier
from app.providers.twilio.intake import TwilioIntake
from app.providers.twilio.signature import sign
from app.providers.twilio.urls import CallbackPurpose, callback_url
from app.providers.twilio.webhooks import MAX_BODY_BYTES
from app.runtime.config import Settings
from app.runtime.context import AppContext, build_context
from app.runtime.database import Database
from tests.support.builders import (
    NOON,
    make_agent,
    make_attempt,
    make_campaign,
    make_carrier_account,
    make_number,
    make_organization,
    make_recipient,
)

ACCOUNT = ConfiguredAccount(
    kind="twilio",
    account_sid="AC" + "0" * 32,
    auth_token=SecretStr("token"),
    api_url="http://carrier.invalid",
    public_url="https://calls.example.com",
    callback_secret=SecretStr("callback secret"),
    simulated=True,
)
SID = "CA" + "1" * 32
OTHER_SID = "CA" + "2" * 32
RENDERED = {
    "welcome": "Hello Zoë, this is Acme.",
    "agenda": "You have an appointment tomorrow.",
    "question": "Will you come?",
    "closing": "Goodbye.",
    "language": "en-US",
}


class FixedClock:
    """A clock that stands at noon."""

    def now(self) -> datetime:
        return NOON + timedelta(seconds=10)

    def boottime(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        raise NotImplementedError


class HangingUp(TwilioCarrier):
    """A carrier that only notes whom it hung up on."""

    def __init__(self) -> None:
        super().__init__(ACCOUNT)
        self.ended: list[str] = []

    async def cancel(self, channel: Channel, provider_id: str) -> bool:
        return False

    async def hang_up(self, provider_id: str) -> bool:
        self.ended.append(provider_id)
        return True


@dataclass
class Door:
    """The web process as the carrier sees it."""

    client: httpx.AsyncClient
    attempt_id: UUID
    carrier: HangingUp = field(default_factory=HangingUp)

    async def send(
        self,
        purpose: CallbackPurpose,
        fields: Mapping[str, str],
        *,
        query: str = "",
        token: str = "token",
        attempt_id: UUID | None = None,
    ) -> httpx.Response:
        """Post as Twilio does: signed, blank fields included."""
        everything = {"AccountSid": ACCOUNT.account_sid, "CallSid": SID, "FromCity": ""} | dict(fields)
        url = callback_url(ACCOUNT, purpose, attempt_id or self.attempt_id) + (f"?{query}" if query else "")
        return await self.post(url, everything, signature=sign(token, url, tuple(everything.items())))

    async def post(self, url: str, fields: Mapping[str, str], *, signature: str) -> httpx.Response:
        parts = urlsplit(url)
        return await self.client.post(
            f"{parts.path}?{parts.query}" if parts.query else parts.path,
            content=urlencode(fields).encode(),
            headers={
                "Content-Type": "application/x-www-form-urlencoded",
                "X-Twilio-Signature": signature,
            },
        )


@pytest.fixture
async def attempt_id(database: Database) -> UUID:
    """An attempt that is being placed, in a running campaign."""
    async with database.transaction() as session:
        organization = await make_organization(session)
        agent = await make_agent(session, organization)
        number = await make_number(session, organization)
        account = await make_carrier_account(session, account_sid=ACCOUNT.account_sid)
        campaign = await make_campaign(
            session, organization, status=CampaignStatus.RUNNING, agent=agent, number=number
        )
        recipient = await make_recipient(
            session, campaign, status=RecipientStatus.IN_PROGRESS, attempts_made=1
        )
        attempt = await make_attempt(
            session,
            recipient,
            number=number,
            carrier_account=account,
            status=AttemptStatus.PLACING,
            rendered=RENDERED,
        )
        recipient.last_attempt_id = attempt.id
        return attempt.id


def context_on(database: Database) -> AppContext:
    settings = Settings(database_url=database.url, redis_url="redis://127.0.0.1:1")
    return replace(build_context(settings), database=database, clock=FixedClock())


async def door_to(database: Database, attempt_id: UUID) -> AsyncIterator[Door]:
    carrier = HangingUp()
    intake = Intake(account=ACCOUNT, webhooks=TwilioIntake(ACCOUNT), carrier=carrier)
    app = AnswerWebhooks(Starlette(), context=lambda: context_on(database), intake=lambda: intake)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://internal.invalid") as client:
        yield Door(client, attempt_id, carrier)


@pytest.fixture
async def door(database: Database, attempt_id: UUID) -> AsyncIterator[Door]:
    async for door in door_to(database, attempt_id):
        yield door


async def attempt_of(session: AsyncSession, attempt_id: UUID) -> Attempt:
    return await session.get_one(Attempt, attempt_id)


async def stored_events(session: AsyncSession) -> int:
    return (await session.execute(select(func.count()).select_from(ProviderEvent))).scalar_one()


async def transcript(session: AsyncSession) -> list[tuple[str, str]]:
    turns = await session.execute(select(AttemptTurn).order_by(col(AttemptTurn.id)))
    return [(turn.speaker, turn.text) for turn in turns.scalars()]


async def test_a_status_is_stored_applied_and_acknowledged_without_a_body(
    door: Door, session: AsyncSession
) -> None:
    answer = await door.send(CallbackPurpose.STATUS, {"CallStatus": "ringing", "SequenceNumber": "1"})
    assert (answer.status_code, answer.content) == (204, b"")
    attempt = await attempt_of(session, door.attempt_id)
    assert (attempt.status, attempt.provider_id) == (AttemptStatus.RINGING, SID)
    event = (await session.execute(select(ProviderEvent))).scalars().one()
    assert event.payload["CallStatus"] == "ringing"
    assert event.payload["FromCity"] == ""


async def test_a_repeated_status_changes_nothing(door: Door, session: AsyncSession) -> None:
    for _ in range(3):
        answer = await door.send(CallbackPurpose.STATUS, {"CallStatus": "completed", "SequenceNumber": "3"})
        assert answer.status_code == 204
    assert await stored_events(session) == 1


async def test_a_late_ringing_does_not_reopen_a_completed_call(door: Door, session: AsyncSession) -> None:
    await door.send(
        CallbackPurpose.STATUS, {"CallStatus": "completed", "SequenceNumber": "3", "CallDuration": "9"}
    )
    await door.send(CallbackPurpose.STATUS, {"CallStatus": "ringing", "SequenceNumber": "1"})
    attempt = await attempt_of(session, door.attempt_id)
    assert (attempt.status, attempt.disposition) == (AttemptStatus.COMPLETED, Disposition.ANSWERED)
    recipient = await session.get_one(Recipient, attempt.recipient_id)
    assert recipient.status is RecipientStatus.COMPLETED


async def test_a_word_the_carrier_invents_is_stored_and_otherwise_ignored(
    door: Door, session: AsyncSession
) -> None:
    assert (await door.send(CallbackPurpose.STATUS, {"CallStatus": "teleported"})).status_code == 204
    assert await stored_events(session) == 1
    assert (await attempt_of(session, door.attempt_id)).status is AttemptStatus.PLACING


async def test_a_wrong_signature_is_forbidden_and_leaves_nothing(door: Door, session: AsyncSession) -> None:
    answer = await door.send(CallbackPurpose.STATUS, {"CallStatus": "completed"}, token="guess")
    assert answer.status_code == 403
    unsigned = await door.post(
        callback_url(ACCOUNT, CallbackPurpose.STATUS, door.attempt_id),
        {"CallStatus": "completed"},
        signature="",
    )
    assert unsigned.status_code == 403
    assert await stored_events(session) == 0


async def test_another_accounts_webhook_is_forbidden(door: Door, session: AsyncSession) -> None:
    answer = await door.send(
        CallbackPurpose.STATUS, {"CallStatus": "completed", "AccountSid": "AC" + "9" * 32}
    )
    assert answer.status_code == 403
    assert await stored_events(session) == 0


@pytest.mark.parametrize(
    "change",
    [
        lambda url: url[:-1] + ("0" if url[-1] != "0" else "1"),
        lambda url: url.replace("/status/", "/voice/"),
        lambda url: url.replace("/status/", "/nonsense/"),
        lambda url: url.replace(url.split("/")[-2], str(uuid4())),
        lambda url: url.replace(url.split("/")[-2], "not-an-id"),
    ],
    ids=["token", "purpose", "unknown purpose", "attempt", "no id"],
)
async def test_a_path_that_is_not_ours_is_forbidden_even_when_signed(
    door: Door, session: AsyncSession, change: object
) -> None:
    assert callable(change)
    url = change(callback_url(ACCOUNT, CallbackPurpose.STATUS, door.attempt_id))
    fields = {"AccountSid": ACCOUNT.account_sid, "CallSid": SID, "CallStatus": "completed"}
    answer = await door.post(url, fields, signature=sign("token", url, tuple(fields.items())))
    assert answer.status_code == 403
    assert await stored_events(session) == 0


async def test_an_attempt_that_is_not_in_the_ledger_is_not_found(door: Door) -> None:
    assert (
        await door.send(CallbackPurpose.STATUS, {"CallStatus": "ringing"}, attempt_id=uuid4())
    ).status_code == 404


async def test_an_oversize_body_is_turned_away(door: Door, session: AsyncSession) -> None:
    answer = await door.send(
        CallbackPurpose.STATUS, {"CallStatus": "ringing", "Padding": "x" * MAX_BODY_BYTES}
    )
    assert answer.status_code == 413
    assert await stored_events(session) == 0


async def test_without_the_database_the_carrier_is_asked_to_send_again() -> None:
    away = Database("postgresql+psycopg://nobody@127.0.0.1:1/none")
    async for door in door_to(away, uuid4()):
        answer = await door.send(CallbackPurpose.STATUS, {"CallStatus": "ringing"})
        assert (answer.status_code, answer.content) == (503, b"")
        assert answer.headers["Retry-After"]
    await away.dispose()


async def test_an_answered_call_is_told_its_script_and_the_transcript_has_it(
    door: Door, session: AsyncSession
) -> None:
    answer = await door.send(CallbackPurpose.VOICE, {"CallStatus": "in-progress", "AnsweredBy": "human"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/xml")
    said = [say.text for say in fromstring(answer.text).iter("Say")]
    assert said[:3] == [RENDERED["welcome"], RENDERED["agenda"], RENDERED["question"]]
    assert (await transcript(session))[0] == ("agent", RENDERED["welcome"])
    assert (await attempt_of(session, door.attempt_id)).status is AttemptStatus.IN_PROGRESS


async def test_a_repeated_request_for_the_script_gets_the_same_and_is_written_once(
    door: Door, session: AsyncSession
) -> None:
    fields = {"CallStatus": "in-progress"}
    first, second = [await door.send(CallbackPurpose.VOICE, fields) for _ in range(2)]
    assert first.text == second.text
    lines = await transcript(session)
    assert len(lines) == len(set(lines))


async def test_a_machine_is_hung_up_on_and_recorded_as_voicemail(door: Door, session: AsyncSession) -> None:
    answer = await door.send(
        CallbackPurpose.VOICE, {"CallStatus": "in-progress", "AnsweredBy": "machine_start"}
    )
    assert [verb.tag for verb in fromstring(answer.text)] == ["Hangup"]
    await door.send(CallbackPurpose.STATUS, {"CallStatus": "completed", "CallDuration": "4"})
    assert (await attempt_of(session, door.attempt_id)).disposition is Disposition.VOICEMAIL
    assert await transcript(session) == []


async def test_an_answer_is_recorded_and_met_by_the_closing(door: Door, session: AsyncSession) -> None:
    answer = await door.send(CallbackPurpose.GATHER, {"SpeechResult": "Yes, I will."}, query="ask=1")
    assert [say.text for say in fromstring(answer.text).iter("Say")] == [RENDERED["closing"]]
    assert (await attempt_of(session, door.attempt_id)).reply == "confirm"
    assert await transcript(session) == [("contact", "Yes, I will."), ("agent", RENDERED["closing"])]


async def test_an_unclear_answer_is_asked_once_more_and_no_oftener(door: Door) -> None:
    again = await door.send(CallbackPurpose.GATHER, {"SpeechResult": "banana"}, query="ask=1")
    gather = fromstring(again.text).find("Gather")
    assert gather is not None
    assert "ask=2" in gather.attrib["action"]
    last = await door.send(CallbackPurpose.GATHER, {"SpeechResult": "banana"}, query="ask=2")
    assert fromstring(last.text).find("Gather") is None


async def test_pressing_nine_opts_out(door: Door, session: AsyncSession) -> None:
    answer = await door.send(CallbackPurpose.GATHER, {"Digits": "9"}, query="ask=1")
    assert "removed" in answer.text
    await door.send(CallbackPurpose.STATUS, {"CallStatus": "completed", "CallDuration": "9"})
    attempt = await attempt_of(session, door.attempt_id)
    assert (attempt.opted_out, attempt.disposition) == (True, Disposition.OPTED_OUT)
    assert ("contact", "Pressed 9") in await transcript(session)


async def test_a_second_call_for_one_attempt_is_hung_up(door: Door, session: AsyncSession) -> None:
    await door.send(CallbackPurpose.STATUS, {"CallStatus": "ringing", "SequenceNumber": "1"})
    answer = await door.send(CallbackPurpose.VOICE, {"CallStatus": "in-progress", "CallSid": OTHER_SID})
    assert [verb.tag for verb in fromstring(answer.text)] == ["Hangup"]
    assert door.carrier.ended == [OTHER_SID]
    attempt = await attempt_of(session, door.attempt_id)
    assert (attempt.provider_id, attempt.conflict) == (SID, True)

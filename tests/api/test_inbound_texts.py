"""Texts from people, as the carrier tells of them: STOP holds at once and everywhere, START undoes only STOP."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode, urlsplit

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col
from starlette.applications import Starlette

from app.api.webhooks import AnswerWebhooks, Intake
from app.domain.suppression import SuppressionScope, SuppressionSource
from app.models import Organization, PhoneNumber, ProviderEvent, Suppression
from app.providers.base import ConfiguredAccount
from app.providers.twilio.client import TwilioCarrier
from app.providers.twilio.intake import TwilioIntake
from app.providers.twilio.signature import sign
from app.providers.twilio.urls import inbound_url
from app.runtime.config import Settings
from app.runtime.context import build_context
from app.runtime.database import Database
from app.services.suppression.operations import suppress
from tests.support.builders import NOON, make_carrier_account, make_number, make_organization

ACCOUNT = ConfiguredAccount(
    kind="twilio",
    account_sid="AC" + "0" * 32,
    auth_token=SecretStr("token"),
    api_url="http://carrier.invalid",
    public_url="https://calls.example.com",
    callback_secret=SecretStr("callback secret"),
    simulated=True,
)
OURS = "+12015550123"
PERSON = "+14155550133"


@dataclass
class Person:
    """Somebody with a phone, whose texts the carrier announces to us."""

    client: httpx.AsyncClient
    sent: int = 0

    async def texts(
        self, body: str, *, message: str | None = None, token: str = "token", **fields: str
    ) -> httpx.Response:
        """Text one of our numbers; `message` repeats an announcement under the same id."""
        self.sent += 1
        told = {
            "AccountSid": ACCOUNT.account_sid,
            "MessageSid": message or f"SM{self.sent:032x}",
            "From": PERSON,
            "To": OURS,
            "Body": body,
            "FromCity": "",
        } | fields
        url = inbound_url(ACCOUNT.public_url)
        return await self.client.post(
            urlsplit(url).path,
            content=urlencode(told).encode(),
            headers={
                "Content-Type": "application/x-www-form-urlencoded",
                "X-Twilio-Signature": sign(token, url, tuple(told.items())),
            },
        )


@pytest.fixture
async def acme(database: Database) -> Organization:
    """An organization that has the number on this carrier account."""
    async with database.transaction() as session:
        account = await make_carrier_account(
            session, account_sid=ACCOUNT.account_sid, api_url=ACCOUNT.api_url
        )
        acme = await make_organization(session)
        await make_number(session, acme, number=OURS, carrier_account_id=account.id)
        return acme


@pytest.fixture
async def person(database: Database, acme: Organization) -> AsyncIterator[Person]:
    context = build_context(Settings(database_url=database.url, redis_url="redis://127.0.0.1:1"))
    intake = Intake(account=ACCOUNT, webhooks=TwilioIntake(ACCOUNT), carrier=TwilioCarrier(ACCOUNT))
    app = AnswerWebhooks(Starlette(), context=lambda: context, intake=lambda: intake)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://internal.invalid") as client:
        yield Person(client)
    await context.close()


async def suppressions(session: AsyncSession) -> list[Suppression]:
    rows = await session.execute(select(Suppression).order_by(col(Suppression.id)))
    return list(rows.scalars())


async def standing(session: AsyncSession) -> list[SuppressionSource]:
    return [row.source for row in await suppressions(session) if row.lifted_at is None]


async def stored_texts(session: AsyncSession) -> int:
    return (await session.execute(select(func.count()).select_from(ProviderEvent))).scalar_one()


@pytest.mark.parametrize("body", ["STOP", " stop. ", "Unsubscribe", "please stop texting me", "remove me!"])
async def test_asking_to_stop_closes_the_number_to_every_channel(
    person: Person, session: AsyncSession, body: str
) -> None:
    answer = await person.texts(body)
    assert (answer.status_code, answer.content) == (204, b"")
    (row,) = await suppressions(session)
    assert (row.number, row.scope) == (PERSON, SuppressionScope.ALL)
    assert row.source is SuppressionSource.STOP_MESSAGE
    assert body.strip() in row.reason


@pytest.mark.parametrize("body", ["STOP\0", "S\0TOP", "\0", "please stop texting me\0", "see you\0"])
async def test_a_text_that_cannot_be_stored_is_stored_all_the_same(
    person: Person, session: AsyncSession, body: str
) -> None:
    assert (await person.texts(body, **{"Odd\0": "x\0"})).status_code == 204
    [payload] = (await session.execute(select(col(ProviderEvent.payload)))).scalars()
    assert (payload["Body"], payload["Odd\ufffd"]) == (body.replace("\0", "\ufffd"), "x\ufffd")
    assert len(await standing(session)) == ("stop" in body.replace("\0", "").lower())


async def test_the_carriers_own_word_for_an_opt_out_counts_in_any_language(
    person: Person, session: AsyncSession
) -> None:
    await person.texts("Arrêt", OptOutType="STOP")
    assert await standing(session) == [SuppressionSource.STOP_MESSAGE]


@pytest.mark.parametrize("body", ["See you tomorrow", "I'll stop by at 5", "HELP", ""])
async def test_any_other_text_is_kept_and_closes_nothing(
    person: Person, session: AsyncSession, body: str
) -> None:
    assert (await person.texts(body)).status_code == 204
    assert await stored_texts(session) == 1
    assert await suppressions(session) == []


async def test_the_same_announcement_again_changes_nothing(person: Person, session: AsyncSession) -> None:
    for _ in range(3):
        assert (await person.texts("STOP", message="SM" + "7" * 32)).status_code == 204
    assert await stored_texts(session) == 1
    assert len(await suppressions(session)) == 1


async def test_a_repeated_stop_after_start_does_not_close_the_number_again(
    person: Person, session: AsyncSession
) -> None:
    await person.texts("STOP", message="SM" + "7" * 32)
    await person.texts("START")
    await person.texts("STOP", message="SM" + "7" * 32)
    assert await standing(session) == []


async def test_start_lifts_what_stop_closed_and_keeps_the_row(person: Person, session: AsyncSession) -> None:
    await person.texts("STOP")
    await person.texts("start")
    (row,) = await suppressions(session)
    assert row.lifted_at is not None
    assert row.lift_reason is not None
    assert "start" in row.lift_reason


async def test_start_lifts_no_suppression_of_another_kind(
    person: Person, session: AsyncSession, database: Database, acme: Organization
) -> None:
    async with database.transaction() as writing:
        await suppress(
            writing,
            organization_id=acme.id,
            number=PERSON,
            scope=SuppressionScope.VOICE,
            reason="Pressed 9.",
            source=SuppressionSource.KEYPRESS,
            actor="attempt",
            now=NOON,
        )
    await person.texts("STOP")
    await person.texts("START")
    assert await standing(session) == [SuppressionSource.KEYPRESS]


async def test_stop_holds_for_the_organization_that_has_the_number_now(
    person: Person, session: AsyncSession, database: Database, acme: Organization
) -> None:
    async with database.transaction() as writing:
        for changed_later in (False, True):
            former = await make_organization(writing)
            later = NOON + timedelta(days=changed_later)
            await make_number(writing, former, number=OURS, active=False, updated_at=later)
    await person.texts("STOP")
    assert {row.organization_id for row in await suppressions(session)} == {acme.id}


async def test_stop_holds_for_the_organization_that_had_the_number_last(
    person: Person, session: AsyncSession, database: Database, acme: Organization
) -> None:
    async with database.transaction() as writing:
        (number,) = (await writing.execute(select(PhoneNumber))).scalars()
        number.active = False
        last, stranger = await make_organization(writing), await make_organization(writing)
        await make_number(writing, last, number=OURS, active=False, updated_at=NOON + timedelta(days=1))
        elsewhere = await make_carrier_account(writing)
        await make_number(writing, stranger, number=OURS, carrier_account_id=elsewhere.id)
    await person.texts("STOP")
    assert {row.organization_id for row in await suppressions(session)} == {last.id}


async def test_a_text_to_a_number_that_is_nobodys_is_acknowledged_and_not_kept(
    person: Person, session: AsyncSession
) -> None:
    assert (await person.texts("STOP", To="+12015550199")).status_code == 204
    assert await stored_texts(session) == 0


async def test_a_sender_that_is_no_phone_number_is_acknowledged(
    person: Person, session: AsyncSession
) -> None:
    assert (await person.texts("STOP", From="ACME")).status_code == 204
    assert await suppressions(session) == []


async def test_a_forged_text_is_forbidden_and_leaves_nothing(person: Person, session: AsyncSession) -> None:
    assert (await person.texts("STOP", token="guess")).status_code == 403
    assert (await person.texts("STOP", AccountSid="AC" + "9" * 32)).status_code == 403
    assert await stored_texts(session) == 0
    assert await suppressions(session) == []

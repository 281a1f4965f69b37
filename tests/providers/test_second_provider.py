"""The seam for carriers is true: a second provider needs its own code and one line in the registry, nothing else."""

import asyncio
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.api.main import create_api
from app.api.middleware import with_middleware
from app.api.webhooks import get_intake
from app.domain.attempt import AttemptStatus, Disposition
from app.domain.campaign import Channel
from app.domain.events import AttemptEvent, EventKind
from app.domain.recipient import RecipientStatus
from app.models import AttemptTurn, CarrierAccount, Suppression
from app.providers import registry
from app.providers.base import (
    AttemptWebhook,
    CallbackPath,
    CallOrder,
    ConfiguredAccount,
    Credentials,
    InboundMessage,
    Keyword,
    MessageOrder,
    NotPlaced,
    NotSent,
    PlaceAnswer,
    Placed,
    ProviderSpec,
    ReceivedEvent,
    RemoteAttempt,
    Unclear,
    WebhookRejected,
    WebhookReply,
    WebhookRequest,
)
from app.providers.callbacks import make_callback_url, read_callback_path
from app.providers.registry import configured_account, make_carrier
from app.providers.script import CallScript, SpokenLine
from app.runtime.context import AppContext
from app.runtime.database import Database
from app.services.numbers.carriers import CarrierIdentity, ensure_carrier_account, identity_of
from tests.support.stage import DialingStage, set_stage
from tests.support.waiting import until
from tests.web.seams import page_seams
from worker.dialer import Dialer

PREFIX: Final = "/webhooks/pigeon"
RING: Final = "the ring on its foot"
LOFT: Final = "loft-7"
NEWS: Final = {"flies": EventKind.RINGING, "landed": EventKind.ANSWERED, "home": EventKind.COMPLETED}


@dataclass(frozen=True)
class Flight:
    """A call that was placed, and where its news goes."""

    provider_id: str
    to: str
    news_url: str
    words_url: str


@dataclass
class PigeonCarrier:
    """Sends a bird for each call; it carries no texts."""

    account: ConfiguredAccount
    flights: list[Flight] = field(default_factory=list)
    _serial: "count[int]" = field(default_factory=count)

    async def place_call(self, order: CallOrder) -> PlaceAnswer:
        try:
            if order.before_sending is not None:
                await order.before_sending()
        except NotSent as held_back:
            return NotPlaced(reason=str(held_back), retry_after_seconds=None)
        news, words = (
            make_callback_url(self.account, PREFIX, purpose, order.attempt_id)
            for purpose in ("news", "words")
        )
        flight = Flight(f"bird-{next(self._serial)}", order.to, news, words)
        self.flights.append(flight)
        return Placed(provider_id=flight.provider_id, queue_ms=0)

    async def place_message(self, order: MessageOrder) -> PlaceAnswer:
        return Unclear(reason="a pigeon carries no texts")

    async def fetch(self, channel: Channel, provider_id: str) -> RemoteAttempt | None:
        return None

    async def find(self, channel: Channel, *, to: str, from_: str, since: datetime) -> list[RemoteAttempt]:
        return []

    async def attempt_of(self, channel: Channel, provider_id: str) -> UUID | None:
        return None

    async def cancel(self, channel: Channel, provider_id: str) -> bool:
        return False

    async def hang_up(self, provider_id: str) -> bool:
        return False

    async def aclose(self) -> None:
        """Nothing is open."""


@dataclass(frozen=True)
class PigeonIntake:
    """Believes whom it knows by the ring."""

    account: ConfiguredAccount
    max_body_bytes: int = 1000

    def read_path(self, path: str) -> CallbackPath | None:
        return None if path == f"{PREFIX}/texts" else read_callback_path(self.account, PREFIX, path)

    def verify(self, request: WebhookRequest) -> Mapping[str, str]:
        ring = self.account.auth_token.get_secret_value()
        if not hmac.compare_digest(request.headers.get("x-ring", ""), ring):
            raise WebhookRejected("it has another ring")
        fields: dict[str, str] = json.loads(request.body)
        return fields

    def parse_text(self, fields: Mapping[str, str], *, received_at: datetime) -> InboundMessage:
        return InboundMessage(
            provider_id=fields["bird"],
            from_=fields["from"],
            to=fields["to"],
            body=fields["note"],
            keyword=Keyword.STOP if fields["note"] == "shoo" else None,
            carrier_has_replied=False,
            received_at=received_at,
        )

    def parse(self, webhook: AttemptWebhook, *, received_at: datetime) -> list[ReceivedEvent]:
        kind = NEWS.get(webhook.fields["news"], EventKind.UNKNOWN)
        event = AttemptEvent(kind=kind, occurred_at=received_at, provider_id=webhook.fields["bird"])
        return [ReceivedEvent(dedupe_key=f"{event.provider_id}:{kind}", event=event)]

    def reply(self, webhook: AttemptWebhook, *, is_second_call: bool) -> WebhookReply | None:
        return None if webhook.purpose == "words" and not is_second_call else WebhookReply()

    def converse(self, webhook: AttemptWebhook, script: CallScript) -> WebhookReply:
        return WebhookReply(
            document=json.dumps({"coo": script.greeting}),
            media_type="application/json",
            lines=(SpokenLine("opening:0", "agent", script.greeting),),
        )


PIGEON: Final = ProviderSpec(
    kind="pigeon",
    title=lambda _settings: "Pigeon post",
    credentials=lambda _settings: Credentials(
        account_sid=LOFT, auth_token=SecretStr(RING), api_url="http://loft.invalid"
    ),
    make=PigeonCarrier,
    intake=PigeonIntake,
    prefix=PREFIX,
    texts_path=f"{PREFIX}/texts",
    calls_per_second=7,
)


@dataclass
class PigeonPost:
    """An installation that calls by pigeon: its campaign, its carrier and its web process."""

    stage: DialingStage
    carrier: PigeonCarrier
    client: httpx.AsyncClient

    async def tell(self, url: str, *, ring: str = RING, **fields: str) -> httpx.Response:
        """Let a bird bring something to this address."""
        return await self.client.post(urlsplit(url).path, json=fields, headers={"X-Ring": ring})


@pytest.fixture
async def post(
    database: Database, database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[PigeonPost]:
    """The post, with the new provider registered."""
    monkeypatch.setitem(registry.PROVIDERS, PIGEON.kind, PIGEON)
    monkeypatch.setenv("CALLSHEET_CARRIER", PIGEON.kind)
    stage = await set_stage(
        database,
        contacts=1,
        account={"kind": "pigeon", "account_sid": LOFT, "api_url": "http://loft.invalid"},
    )
    monkeypatch.setattr("app.runtime.context.SystemClock", lambda: stage.clock)
    get_intake.cache_clear()
    async with page_seams(database_url, redis_url, monkeypatch) as context, web_process(context) as client:
        carrier = make_carrier(configured_account(context.settings))
        assert isinstance(carrier, PigeonCarrier)
        yield PigeonPost(stage, carrier, client)
    get_intake.cache_clear()


@asynccontextmanager
async def web_process(context: AppContext) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(with_middleware(create_api(), context.settings))
    async with httpx.AsyncClient(transport=transport, base_url=context.settings.public_url) as client:
        yield client


async def called(post: PigeonPost) -> Flight:
    """Let the dialer call the one person there is."""
    dialer = Dialer(
        database=post.stage.database,
        feed=None,
        carrier=post.carrier,
        clock=post.stage.clock,
        worker="dialer",
        carrier_account_id=post.stage.account.id,
    )
    dialing = asyncio.create_task(dialer.run())

    async def is_recorded() -> bool:
        dialer.wake()
        return any(each.provider_id is not None for each in await post.stage.attempts())

    await until(is_recorded)
    dialer.stop()
    await dialing
    [flight] = post.carrier.flights
    return flight


async def test_a_call_is_placed_and_settled_by_the_webhooks_of_a_second_provider(
    post: PigeonPost, session: AsyncSession
) -> None:
    flight = await called(post)

    words = await post.tell(flight.words_url, bird=flight.provider_id, news="landed")
    assert (words.status_code, words.headers["content-type"]) == (200, "application/json")
    assert words.json()["coo"].startswith("Hi ")
    said = await session.execute(select(col(AttemptTurn.speaker), col(AttemptTurn.text)))
    assert [tuple(line) for line in said] == [("agent", words.json()["coo"])]

    home = await post.tell(flight.news_url, bird=flight.provider_id, news="home")
    assert (home.status_code, home.content) == (204, b"")
    [attempt] = await post.stage.attempts()
    assert (attempt.status, attempt.provider_id) == (AttemptStatus.COMPLETED, flight.provider_id)
    assert attempt.disposition is Disposition.ANSWERED
    assert await post.stage.statuses() == {RecipientStatus.COMPLETED: 1}


async def test_a_second_providers_webhooks_are_believed_by_its_own_rules_alone(post: PigeonPost) -> None:
    flight = await called(post)
    stranger = await post.tell(flight.news_url, ring="another", bird=flight.provider_id, news="home")
    no_token = await post.tell(flight.news_url[:-1], bird=flight.provider_id, news="home")
    other_carrier = await post.tell(flight.news_url.replace(PREFIX, "/webhooks/twilio"), news="home")
    assert {each.status_code for each in (stranger, no_token, other_carrier)} == {403}
    too_long = await post.tell(flight.news_url, bird="b" * 1000, news="home")
    assert too_long.status_code == 413
    [attempt] = await post.stage.attempts()
    assert attempt.status is AttemptStatus.QUEUED


async def test_a_text_that_a_second_provider_announces_closes_the_number(
    post: PigeonPost, session: AsyncSession
) -> None:
    flight = await called(post)
    [attempt] = await post.stage.attempts()
    told = await post.tell(
        PIGEON.texts_path, bird="b-9", **{"from": flight.to}, to=attempt.number_from, note="shoo"
    )
    assert told.status_code == 204
    [row] = (await session.execute(select(Suppression))).scalars()
    assert row.number == flight.to


async def test_a_new_account_of_a_second_provider_gets_its_own_rate(
    post: PigeonPost, session: AsyncSession
) -> None:
    ours = identity_of(post.carrier.account)
    assert (ours.kind, ours.account_sid) == ("pigeon", LOFT)
    new = CarrierIdentity(kind="pigeon", account_sid="loft-8", api_url=ours.api_url, simulated=False)
    row: CarrierAccount = await ensure_carrier_account(session, new, now=post.stage.clock.now())
    assert row.calls_per_second == PIGEON.calls_per_second


def test_every_provider_listens_below_a_prefix_of_its_own() -> None:
    prefixes = [each.prefix for each in registry.PROVIDERS.values()]
    assert prefixes == [f"/webhooks/{kind}" for kind in registry.PROVIDERS]
    for each in registry.PROVIDERS.values():
        assert each.texts_path == "" or each.texts_path.startswith(f"{each.prefix}/")

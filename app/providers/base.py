"""What the engine needs from a carrier, in our own terms. Only a provider's folder knows the carrier's API."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol, runtime_checkable
from uuid import UUID

from pydantic import SecretStr

from app.domain.call_options import CallOptions
from app.domain.campaign import Channel
from app.domain.events import AttemptEvent, FailureClass
from app.providers.script import CallScript, SpokenLine
from app.runtime.config import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """The credentials of an account at a carrier, from the settings."""

    account_sid: str
    auth_token: SecretStr
    api_url: str
    """Base URL of the carrier's REST API, without a trailing slash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfiguredAccount:
    """The account at a carrier that the settings name, and the address of its webhooks.

    `models.CarrierAccount` is the row of an account.
    """

    kind: str
    """The kind of carrier: its name in the registry."""
    account_sid: str
    auth_token: SecretStr
    api_url: str
    """Base URL of the carrier's REST API, without a trailing slash."""
    public_url: str
    """The URL at which the carrier reaches us, without a trailing slash. The carrier signs it."""
    callback_secret: SecretStr
    """The key of the tokens in callback paths. It is not sent anywhere."""
    simulated: bool
    secondary_auth_token: SecretStr | None = None
    """Also accepted in webhooks, while the auth token is being rotated."""


BeforeSending = Callable[[], Awaitable[None]]
"""Awaited just before the first byte of the request is sent. Raises `NotSent` to stop it."""


class NotSent(Exception):
    """The request was stopped before it was sent: nothing was placed. The text is the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOrder:
    """A call to place for an attempt that is already committed."""

    attempt_id: UUID
    to: str
    from_: str
    options: CallOptions
    before_sending: BeforeSending | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageOrder:
    """A text message to send for an attempt that is already committed."""

    attempt_id: UUID
    to: str
    from_: str
    body: str
    validity_seconds: int | None
    """The carrier drops the message if it cannot send it within this time; None: the carrier's default."""
    before_sending: BeforeSending | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """The carrier has accepted it."""

    provider_id: str
    queue_ms: int
    """How long it will wait in the carrier's queue before it is dialed, as the carrier says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The carrier has refused it, with a reason: it was not dialed."""

    failure: FailureClass
    code: int | None
    message: str
    remedy: str | None = None
    """What a person must correct before another request can succeed, as a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotPlaced:
    """It did not reach the carrier, or was rejected unread (429). Spends no attempt; try again later."""

    reason: str
    retry_after_seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unclear:
    """It may have been placed or not: record `unknown`, and let the reconciler ask the carrier."""

    reason: str


PlaceAnswer = Placed | Refused | NotPlaced | Unclear


class Placer(Protocol):
    """Places calls and messages. Never retries. Does not raise for errors of the carrier or the network."""

    async def place_call(self, order: CallOrder) -> PlaceAnswer:
        """Ask the carrier to dial; answers within 10 seconds."""
        ...

    async def place_message(self, order: MessageOrder) -> PlaceAnswer:
        """Ask the carrier to send a text; answers within 10 seconds."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteAttempt:
    """A call or message in its current state at the carrier. Another program on the same account may have made it."""

    provider_id: str
    to: str
    from_: str | None
    """None while the carrier has not picked a sender."""
    created_at: datetime
    outbound_api: bool
    """Whether it was made through the API. A call that was dialed by hand is not ours."""
    body: str | None
    """A message's text; None for calls."""
    events: tuple[AttemptEvent, ...]
    """Its state, as the events that led to it."""


class LookupFailed(Exception):
    """The carrier could not be asked, or its answer could not be read. Nothing is known; ask again later."""


class Lookup(Protocol):
    """Asks the carrier what happened. Every method raises `LookupFailed` if the carrier could not be asked."""

    async def fetch(self, channel: Channel, provider_id: str) -> RemoteAttempt | None:
        """Return the current state; None if the carrier has no such call or message."""
        ...

    async def find(self, channel: Channel, *, to: str, from_: str, since: datetime) -> list[RemoteAttempt]:
        """Return what was made through the API from and to these numbers since then, oldest first."""
        ...

    async def attempt_of(self, channel: Channel, provider_id: str) -> UUID | None:
        """Return the attempt for which a call was placed, proven by its callback token; None if it is not known."""
        ...


class Hangup(Protocol):
    """Ends calls and messages. Every method raises `LookupFailed` if the carrier could not be asked."""

    async def cancel(self, channel: Channel, provider_id: str) -> bool:
        """Cancel a call that is still queued or ringing, or a message that is not sent yet. False: it was too late."""
        ...

    async def hang_up(self, provider_id: str) -> bool:
        """End a call, also one in progress. False: it had ended already."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedNumber:
    """A number that the carrier account may use, and what it can do."""

    number: str
    """E.164."""
    label: str
    """Its name at the carrier."""
    voice: bool
    sms: bool


@runtime_checkable
class NumberDirectory(Protocol):
    """Lists the numbers that the account may use. Optional: not all carriers can."""

    async def owned_numbers(self) -> list[OwnedNumber]:
        """Return the account's own numbers. Raises `LookupFailed`."""
        ...

    async def find_numbers(self, numbers: Collection[str]) -> Mapping[str, OwnedNumber]:
        """Return which of these numbers (E.164) the account may call or text from, by number.

        These are its own numbers and its verified caller IDs. Raises `LookupFailed`.
        """
        ...


@runtime_checkable
class AccountCheck(Protocol):
    """Checks whether the account may call and text at all. Optional: not all carriers can."""

    async def refuses(self) -> str | None:
        """Return why the account may not place calls, and what to correct, as sentences; None if it may.

        Raises `LookupFailed`.
        """
        ...


@runtime_checkable
class TellsTime(Protocol):
    """Tells the time by the carrier's clock. Optional: not all carriers can."""

    async def time(self) -> datetime | None:
        """Return the carrier's time (to the second); None if it cannot be asked."""
        ...


@runtime_checkable
class InboundTexts(Protocol):
    """Has the carrier announce texts to the account's numbers to us. Optional: not all carriers can."""

    async def announce_texts(self, numbers: Collection[str]) -> Mapping[str, str]:
        """Have the carrier announce texts to these numbers to us. Numbers that are set up already are not changed.

        Returns for each number that the account owns why its texts do not reach us; empty if they do. Raises
        `LookupFailed`.
        """
        ...


@runtime_checkable
class Ledger(Protocol):
    """Lists all calls and messages of the account. Optional: not all carriers can."""

    async def made(self, channel: Channel, *, since: datetime) -> list[RemoteAttempt]:
        """Return all that was made through the API since then, newest first, also by other programs.

        Raises `LookupFailed`.
        """
        ...


class Carrier(Placer, Lookup, Hangup, Protocol):
    """A carrier: everything that the engine does with one."""

    async def aclose(self) -> None:
        """Close the connections."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRequest:
    """A request as it came in, before it is verified."""

    method: str
    raw_path: str
    """Percent-encoded as received, starting with a slash."""
    raw_query: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedEvent:
    """An event with its key. When the carrier repeats an event, it has the same key."""

    dedupe_key: str
    event: AttemptEvent


class Keyword(StrEnum):
    """The request in an inbound text."""

    STOP = "STOP"
    START = "START"
    HELP = "HELP"


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundMessage:
    """A text a person sent to one of our numbers."""

    provider_id: str
    from_: str
    to: str
    body: str
    keyword: Keyword | None
    carrier_has_replied: bool
    """The carrier has replied by itself, so we must not reply again."""
    received_at: datetime


class WebhookRejected(Exception):
    """The webhook is not from our carrier account, or not for this attempt. Answer 403 and store nothing."""


class CallbackPath(NamedTuple):
    """The purpose and the attempt in the path of a callback."""

    purpose: str
    """A word of the provider for what the carrier reports or asks at this path."""
    attempt_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptWebhook:
    """An authentic webhook about one attempt."""

    purpose: str
    attempt_id: UUID
    fields: Mapping[str, str]
    raw_query: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookReply:
    """The answer to a webhook: a document, or only a receipt."""

    document: str = ""
    """Empty: answer 204."""
    media_type: str | None = None
    lines: tuple[SpokenLine, ...] = ()
    """The lines just spoken and those spoken next, for the transcript."""


class CarrierIntake(Protocol):
    """Verifies and translates the webhooks of one account, and makes the answers.

    It uses neither the database nor the network: `app/api/webhooks.py` handles the requests, status codes and rows. The
    methods are called in this order.
    """

    @property
    def max_body_bytes(self) -> int:
        """The longest body of a webhook of this carrier. A longer one is not read, and the answer is 413."""
        ...

    def read_path(self, path: str) -> CallbackPath | None:
        """Return the purpose and the attempt of a path below the provider's prefix, proven by its token.

        None: it is the path at which the carrier announces texts to the account's numbers; it has no token. Raises
        `WebhookRejected` for any other path.
        """
        ...

    def verify(self, request: WebhookRequest) -> Mapping[str, str]:
        """Return the fields of an authentic request of this account. Raises `WebhookRejected`."""
        ...

    def parse_text(self, fields: Mapping[str, str], *, received_at: datetime) -> InboundMessage:
        """Return the text that a person sent to one of the account's numbers."""
        ...

    def parse(self, webhook: AttemptWebhook, *, received_at: datetime) -> Sequence[ReceivedEvent]:
        """Return the events that it reports; unknown words become `EventKind.UNKNOWN`."""
        ...

    def reply(self, webhook: AttemptWebhook, *, is_second_call: bool) -> WebhookReply | None:
        """Return the answer; None: a person listens, and `converse` returns what to say.

        `is_second_call`: it is a second call for the attempt, which must end.
        """
        ...

    def converse(self, webhook: AttemptWebhook, script: CallScript) -> WebhookReply:
        """Return what the call says next. A repeated request gets the same answer."""
        ...


class CarrierNotConfigured(Exception):
    """The settings have no carrier account, or no secret to sign callbacks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSpec:
    """A kind of carrier: all that the rest of Callsheet knows about it."""

    kind: str
    """Its name in `CALLSHEET_CARRIER` and in the `carrier_account` table: lower case."""
    title: Callable[[Settings], str]
    """Its name for people."""
    credentials: Callable[[Settings], Credentials]
    """Reads the account from the settings. Raises `CarrierNotConfigured`."""
    make: Callable[[ConfiguredAccount], Carrier]
    intake: Callable[[ConfiguredAccount], CarrierIntake]
    prefix: str
    """The path below which all its webhooks come, without a trailing slash. Each provider has its own."""
    texts_path: str
    """The path at which it announces texts to the account's numbers; empty if it announces none."""
    calls_per_second: int
    """The rate of a new account. The operator can change it in the account's row."""

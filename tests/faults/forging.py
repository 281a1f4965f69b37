"""F12: requests that claim to be the carrier's. Our verdict must be that of Twilio's own validator on every one."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from pydantic import SecretStr
from starlette.datastructures import ImmutableMultiDict
from twilio.request_validator import RequestValidator

from app.providers.base import ConfiguredAccount, WebhookRejected, WebhookRequest
from app.providers.twilio.urls import CallbackPurpose, callback_url
from app.providers.twilio.webhooks import TwilioWebhooks

TOKEN: Final = "0123456789abcdef" * 2
ACCOUNT_SID: Final = "AC" + "1" * 32
_URLS: Final = ("https://calls.example.com", "http://127.0.0.1:3000", "https://calls.example.com:8443")
_TEXTS: Final = ("", " ", "a b+c&d=e", "ünïcödé ✓ 電話", "%41%zz", "\r\n", "🙂", "0", "'\"<x>", "é" * 50)
_NAMES: Final = (
    "CallSid",
    "CallStatus",
    "From",
    "To",
    "Digits",
    "SpeechResult",
    "Ünï",
    "a b",
    "",
    "Timestamp",
)


@dataclass(frozen=True)
class Request:
    """A request as it comes in over the wire."""

    public_url: str
    target: str
    body: bytes
    signature: str | None

    @property
    def fields(self) -> list[tuple[str, str]]:
        """The form, as any framework reads it."""
        return parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True)


def account_at(public_url: str) -> ConfiguredAccount:
    """The carrier account whose webhooks these would be."""
    return ConfiguredAccount(
        kind="twilio",
        account_sid=ACCOUNT_SID,
        auth_token=SecretStr(TOKEN),
        api_url="https://api.twilio.com",
        public_url=public_url,
        callback_secret=SecretStr("secret"),
        simulated=False,
    )


def genuine(chance: random.Random) -> Request:
    """Return a request as Twilio would send it."""
    public_url = chance.choice(_URLS)
    attempt_id = UUID(int=chance.getrandbits(128), version=4)
    url = callback_url(account_at(public_url), chance.choice(list(CallbackPurpose)), attempt_id)
    target = url.removeprefix(public_url) + chance.choice(("", "?ask=1", "?x=%20y&z"))
    fields = [("AccountSid", ACCOUNT_SID)]
    fields += [(chance.choice(_NAMES), chance.choice(_TEXTS)) for _ in range(chance.randint(0, 15))]
    chance.shuffle(fields)
    unsigned = Request(public_url, target, urlencode(fields).encode(), None)
    return replace(unsigned, signature=_signature(TOKEN, public_url + target, unsigned.fields))


def _signature(token: str, url: str, fields: list[tuple[str, str]]) -> str:
    form: ImmutableMultiDict[str, str] = ImmutableMultiDict(fields)
    return str(RequestValidator(token).compute_signature(url, form))


Forgery = Callable[[Request, random.Random], Request]


def _wrong_key(request: Request, chance: random.Random) -> Request:
    token = f"{chance.getrandbits(128):032x}"
    return replace(request, signature=_signature(token, request.public_url + request.target, request.fields))


def _other_url(request: Request, chance: random.Random) -> Request:
    url = chance.choice(
        (
            f"https://evil.example.com{request.target}",
            f"{request.public_url.replace('http', 'ftp')}{request.target}",
            f"{request.public_url}:443{request.target}",
            f"{request.public_url}:80{request.target}",
            f"{request.public_url}{request.target}/",
            f"{request.public_url.upper()}{request.target}",
        )
    )
    return replace(request, signature=_signature(TOKEN, url, request.fields))


def _altered_body(request: Request, chance: random.Random) -> Request:
    body = bytearray(request.body)
    for _ in range(chance.randint(1, 3)):
        body[chance.randrange(len(body))] = chance.randrange(1, 256)
    return replace(request, body=bytes(body))


def _altered_target(request: Request, chance: random.Random) -> Request:
    target = list(request.target)
    target[chance.randrange(1, len(target))] = chance.choice("abcdef0123456789/?&=%")
    return replace(request, target="".join(target))


def _field_more(request: Request, chance: random.Random) -> Request:
    extra = urlencode([(chance.choice(_NAMES), chance.choice(_TEXTS))]).encode()
    return replace(request, body=request.body + b"&" + extra)


def _field_twice(request: Request, chance: random.Random) -> Request:
    name, value = chance.choice(request.fields)
    # The very same pair again is signed as one: that is Twilio's rule, and ours.
    again = urlencode([(name, value if chance.random() < 0.5 else value + "x")]).encode()
    return replace(request, body=request.body + b"&" + again)


def _shuffled(request: Request, chance: random.Random) -> Request:
    fields = request.fields
    return replace(request, body=urlencode(chance.sample(fields, len(fields))).encode())


def _spoiled_signature(request: Request, chance: random.Random) -> Request:
    signature = request.signature or ""
    spoiled = (
        None,
        "",
        signature[:-1],
        signature.swapcase(),
        f" {signature}",
        f"{signature}=",
        "é",
        "x" * 10_000,
    )
    return replace(request, signature=chance.choice(spoiled))


def _other_account(request: Request, _: random.Random) -> Request:
    body = request.body.replace(ACCOUNT_SID.encode(), b"AC" + b"2" * 32)
    altered = replace(request, body=body)
    return replace(altered, signature=_signature(TOKEN, altered.public_url + altered.target, altered.fields))


def _cut(request: Request, chance: random.Random) -> Request:
    return replace(request, body=request.body[: chance.randrange(len(request.body))])


def _untouched(request: Request, _: random.Random) -> Request:
    return request


FORGERIES: Final[tuple[Forgery, ...]] = (
    _untouched,
    _wrong_key,
    _other_url,
    _altered_body,
    _altered_target,
    _field_more,
    _field_twice,
    _shuffled,
    _spoiled_signature,
    _other_account,
    _cut,
)


def disagreements(count: int, *, seed: int) -> tuple[int, list[str]]:
    """Judge so many requests; return how many Twilio's validator believes, and each on which we differ."""
    chance = random.Random(seed)
    ours = {url: TwilioWebhooks(account_at(url)) for url in _URLS}
    theirs, believed, differing = RequestValidator(TOKEN), 0, []
    for number in range(count):
        forge = chance.choice(FORGERIES)
        request = forge(genuine(chance), chance)
        expected = _theirs(theirs, request)
        believed += expected
        if _ours(ours[request.public_url], request) is not expected:
            differing.append(
                f"F12: request {number} ({forge.__name__}): Twilio's verdict is {expected}: {request}"
            )
    return believed, differing


def _theirs(validator: RequestValidator, request: Request) -> bool:
    """Twilio's own verdict, and that it is about our account: a signed webhook of another is not for us."""
    form: ImmutableMultiDict[str, str] = ImmutableMultiDict(request.fields)
    signed = bool(validator.validate(request.public_url + request.target, form, request.signature or ""))
    named = dict(request.fields).get("AccountSid", "").replace("\0", "")
    return signed and named == ACCOUNT_SID


def _ours(webhooks: TwilioWebhooks, request: Request) -> bool:
    path, _, query = request.target.partition("?")
    headers = {"content-type": "application/x-www-form-urlencoded"}
    if request.signature is not None:
        headers["x-twilio-signature"] = request.signature
    try:
        webhooks.verify(
            WebhookRequest(method="POST", raw_path=path, raw_query=query, headers=headers, body=request.body)
        )
    except WebhookRejected:
        return False
    return True

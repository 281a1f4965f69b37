"""Reads the consent of a row: status, channels, source, wording, evidence and time."""

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from app.domain.consent import Consent, ConsentScope
from app.domain.contact_fields import CONSENT, LENGTHS

_WORDS: Final = {
    **{str(status): status for status in Consent},
    **dict.fromkeys(("yes", "y", "true", "1", "given", "opted in", "opt-in"), Consent.GRANTED),
    **dict.fromkeys(("no", "n", "false", "0", "refused", "opt-out"), Consent.DENIED),
    **dict.fromkeys(("revoked", "opted out", "unsubscribed"), Consent.WITHDRAWN),
}
_SCOPES: Final = {
    **dict.fromkeys(("all", "both", "any"), ""),
    **dict.fromkeys(("voice", "call", "calls", "phone"), ConsentScope.VOICE.value),
    **dict.fromkeys(("sms", "text", "texts", "text messages"), ConsentScope.SMS.value),
}
"""What files say a consent is for -> how it is stored."""
_DETAILS: Final = ("consent_source", "consent_wording", "consent_evidence")
_LONGEST_SHOWN: Final = 80
_EARLIEST: Final = datetime(1900, 1, 1, tzinfo=UTC)
_CLOCKS_DIFFER: Final = timedelta(days=1)
"""A date without a time zone may be tomorrow in UTC."""


class ConsentUnclear(ValueError):
    """The consent of a row is not clear. The message says what to change."""


class Consented(NamedTuple):
    """The consent of a row."""

    status: Consent
    scope: str
    """A `ConsentScope`; empty for every channel."""
    source: str
    wording: str
    evidence: str
    at: datetime


def take_consent(fields: dict[str, str], warnings: list[str], *, uploaded_at: datetime) -> Consented | None:
    """Take the consent out of a row's fields; None if there is none, or it is `unknown`.

    Without a time, the time of the upload is used; a time without an offset is in UTC. Raises `ConsentUnclear`: we
    never guess whether we may call a person.
    """
    said = {name: fields.pop(name) for name in CONSENT if name in fields}
    if "consent" not in said:
        if said:
            warnings.append("What is said of a consent was left out: no column says whether it was given.")
        return None
    status = _WORDS.get(said["consent"].lower())
    if status is None:
        raise ConsentUnclear(
            f"“{said['consent'][:_LONGEST_SHOWN]}” is no consent. Write granted, denied, withdrawn or unknown."
        )
    at = _moment(said["consent_at"], uploaded_at) if "consent_at" in said else uploaded_at
    scope = _SCOPES.get(said.get("consent_scope", "all").lower())
    if scope is None:
        raise ConsentUnclear(
            f"“{said['consent_scope'][:_LONGEST_SHOWN]}” is no channel of a consent. Write all, voice or sms."
        )
    source, wording, evidence = (_shortened(name, said.get(name, ""), warnings) for name in _DETAILS)
    return None if status is Consent.UNKNOWN else Consented(status, scope, source, wording, evidence, at)


def _moment(text: str, uploaded_at: datetime) -> datetime:
    at = _read(text)
    if at is None or at < _EARLIEST:
        raise ConsentUnclear(
            f"“{text[:_LONGEST_SHOWN]}” is no time of a consent. Write it like 2026-03-10 or "
            "2026-03-10T09:00:00+01:00."
        )
    if at > uploaded_at + _CLOCKS_DIFFER:
        raise ConsentUnclear(f"A consent given on {text[:_LONGEST_SHOWN]} is in the future. Check the date.")
    return at


def _read(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _shortened(name: str, text: str, warnings: list[str]) -> str:
    most = LENGTHS[name]
    if len(text) > most:
        warnings.append(f"{name} was shortened to {most:,} characters.")
    return text[:most]

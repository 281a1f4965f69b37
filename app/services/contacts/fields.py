"""Reads the fields of a contact that people and systems may change, and checks their values."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.consent import Consent, ConsentScope
from app.domain.contact_fields import LENGTHS, LONGEST_TAG, MOST_TAGS
from app.domain.phone import NumberRejected, is_region, normalize
from app.models import Organization
from app.services.field_readers import ChangeReader, cleaned

_LABELS: Final = {
    "name": "The name",
    "first_name": "The first name",
    "last_name": "The last name",
    "email": "The e-mail",
    "company": "The company",
    "language": "The language",
    "state": "The state",
    "notes": "The notes",
}
_CONSENT_TEXTS: Final = {
    "consent_source": ("The source", 200),
    "consent_wording": ("The wording", 2_000),
    "consent_evidence": ("The evidence", 2_000),
}
MOST_FIELDS: Final = 200
_LONGEST_FIELD_NAME: Final = 60
_LONGEST_FIELD: Final = 4_000


async def read_contact(
    session: AsyncSession, changes: Mapping[str, Any], *, organization_id: int, number_required: bool
) -> dict[str, Any]:
    """Return valid values for the columns of a contact. Raises `FieldErrors`."""
    organization = await session.get_one(Organization, organization_id)
    reader = ChangeReader(changes)
    _read_number(reader, organization, required=number_required)
    for field, label in _LABELS.items():
        reader.text(field, label=label, most=LENGTHS[field])
    email = reader.values.get("email")
    if email and ("@" not in email.strip("@") or " " in email):
        reader.refuse("email", "This is not an e-mail address. It looks like ann@example.com.")
    _read_country(reader)
    reader.zone("time_zone", required=False)
    read_tags(reader)
    _read_own_fields(reader)
    read_consent(reader)
    return _with_name(reader.finish())


def _read_number(reader: ChangeReader, organization: Organization, *, required: bool) -> None:
    if not required and not reader.has("number"):
        return
    given = reader.take("number")
    try:
        text = str(given) if isinstance(given, str | int) and not isinstance(given, bool) else ""
        read = normalize(text, region=organization.default_region, strict=organization.strict_numbers)
        reader.values["number"] = read.e164
    except NumberRejected as rejection:
        reader.refuse("number", str(rejection))


def _read_country(reader: ChangeReader) -> None:
    country = reader.text("country", label="The country", most=LENGTHS["country"])
    if country and not is_region(country):
        reader.refuse("country", f"“{country}” is no country's code. Use two letters, such as US or GB.")
    elif country:
        reader.values["country"] = country.upper()


def read_tags(reader: ChangeReader) -> None:
    """Read the tags, each once."""
    if not reader.has("tags"):
        return
    given = reader.take("tags") or []
    if not isinstance(given, list | tuple) or not all(isinstance(tag, str) for tag in given):
        reader.refuse("tags", "Tags must be a list of texts.")
        return
    tags = list(dict.fromkeys(tag for tag in map(cleaned, given) if tag))
    if len(tags) > MOST_TAGS or any(len(tag) > LONGEST_TAG for tag in tags):
        reader.refuse("tags", f"Use at most {MOST_TAGS} tags of at most {LONGEST_TAG} characters each.")
    else:
        reader.values["tags"] = tags


def _read_own_fields(reader: ChangeReader) -> None:
    """Read the organization's own fields: any names, values as text."""
    if not reader.has("fields"):
        return
    given = reader.take("fields") or {}
    if not isinstance(given, Mapping) or len(given) > MOST_FIELDS:
        reader.refuse("fields", f"Fields must be an object with at most {MOST_FIELDS} entries.")
        return
    fields = {
        cleaned(str(name)): cleaned("" if value is None else str(value)) for name, value in given.items()
    }
    too_long = [
        name
        for name, value in fields.items()
        if len(name) > _LONGEST_FIELD_NAME or len(value) > _LONGEST_FIELD
    ]
    if too_long:
        reader.refuse("fields", f"“{too_long[0][:_LONGEST_FIELD_NAME]}” is too long.")
    else:
        reader.values["fields"] = {name: value for name, value in fields.items() if name and value}


def read_consent(reader: ChangeReader) -> None:
    """Read the consent: status, channels, source, wording, time and evidence."""
    for field, (label, most) in _CONSENT_TEXTS.items():
        reader.text(field, label=label, most=most)
    if reader.has("consent"):
        given = reader.take("consent")
        if isinstance(given, str) and given in set(Consent):
            reader.values["consent"] = Consent(given)
        else:
            reader.refuse("consent", f"Use one of: {', '.join(Consent)}.")
    if reader.has("consent_scope"):
        scope = reader.take("consent_scope") or ConsentScope.ALL.value
        if scope in set(ConsentScope):
            reader.values["consent_scope"] = "" if scope == ConsentScope.ALL else str(scope)
        else:
            reader.refuse("consent_scope", f"Use one of: {', '.join(ConsentScope)}.")
    if reader.has("consent_at"):
        _read_moment(reader, "consent_at")


def _read_moment(reader: ChangeReader, field: str) -> None:
    """Read a time with its offset, or none."""
    given = reader.take(field)
    try:
        at = datetime.fromisoformat(given) if isinstance(given, str) and given else given or None
    except ValueError:
        at = ""
    if at is None or (isinstance(at, datetime) and at.tzinfo is not None):
        reader.values[field] = at
    else:
        reader.refuse(field, "Send a time with its offset, such as 2026-03-10T09:00:00+01:00.")


def consent_moment(values: Mapping[str, Any], before: Consent, now: datetime) -> dict[str, datetime]:
    """Return the time of a changed consent for which no time was given: now."""
    changed = values.get("consent", before) != before
    return {"consent_at": now} if changed and not values.get("consent_at") else {}


def _with_name(values: dict[str, Any]) -> dict[str, Any]:
    """Set the name from a new first or last name if no name is given: lists show and search the name."""
    parts = [values[part] for part in ("first_name", "last_name") if values.get(part)]
    if parts and not values.get("name"):
        values["name"] = " ".join(parts)[: LENGTHS["name"]]
    return values

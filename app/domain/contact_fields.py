"""Columns of a spreadsheet: header aliases, the suggested mapping to contact fields, and its rules."""

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final

from app.domain.template_variables import variable_name, variable_names
from app.domain.text import trimmed

PHONE: Final = "phone_number"
TAGS: Final = "tags"
IGNORE: Final = "ignore"
VARIABLE: Final = "variable:"
"""Prefix of a target: the column becomes a template variable of the name after it."""

ROW_HEADER: Final = "callsheet_row"
REASON_HEADER: Final = "callsheet_reason"
"""Two columns that we add to the file of rejected rows; they are ignored when the corrected file is imported."""

_ALIASES: Final[Mapping[str, tuple[str, ...]]] = {
    PHONE: (
        *("phone_number", "phone", "mobile", "cell", "telephone", "tel", "msisdn", "mobile_phone"),
        *("cell_phone", "mobile_number", "cell_number", "telephone_number", "phone_no", "mobile_no"),
        *("contact_number", "contact_phone", "customer_phone", "primary_phone", "phone 1 - value", "phone 1"),
        *("tel_no", "home_phone", "work_phone", "business_phone", "e164", "phone_e164", "to"),
        *("telefon", "telefono", "telefone", "handy", "mobil", "movil", "celular", "portable", "cellulare"),
        *("telefonnummer", "telefonnr", "handynummer", "handynr", "mobilnummer", "mobiltelefon", "rufnummer"),
        *("numero_de_telefono", "numero_de_telephone", "numero_telefono"),
        *("number", "contact"),
    ),
    "name": (
        *("name", "full_name", "contact_name", "customer_name", "display_name", "client_name", "lead_name"),
        *("person", "contact"),
    ),
    "first_name": ("first_name", "first", "given_name", "forename", "fname", "vorname", "prenom"),
    "last_name": (
        "last_name",
        "last",
        "surname",
        "family_name",
        "lname",
        "nachname",
        "apellidos",
        "apellido",
    ),
    "email": ("email", "email_address", "e-mail", "mail", "e-mail 1 - value"),
    "company": (
        *("company", "organization", "organisation", "company_name", "employer", "business"),
        *("organization 1 - name", "firma", "empresa", "entreprise"),
    ),
    "time_zone": ("time_zone", "timezone", "tz"),
    "country": ("country", "country_code"),
    "state": ("state", "province", "region"),
    "zip": ("zip", "zip_code", "postcode", "postal_code"),
    "language": ("language", "lang", "locale"),
    "notes": ("notes", "note", "comment", "comments", "remarks"),
    TAGS: ("tags", "tag", "labels"),
    "consent": ("consent", "consent_status"),
    "consent_scope": ("consent_scope", "consent_channel", "consent_channels"),
    "consent_source": ("consent_source",),
    "consent_wording": ("consent_wording", "consent_text"),
    "consent_evidence": ("consent_evidence", "consent_proof"),
    "consent_at": ("consent_at", "consent_date", "consent_time"),
    IGNORE: (
        *(ROW_HEADER, REASON_HEADER),
        *("suppressed", "last_outcome", "last_contacted_at", "created_at", "updated_at"),
    ),
}
"""Contact field -> its headers, best match first. `contact` is the number only if no other column is."""

_EXPORT_HEADERS: Final = frozenset({"suppressed", "last_outcome", "last_contacted_at"})
"""A file with all of these headers is an export of our address book."""
_IGNORED_IN_EXPORTS: Final = frozenset({"source"})
"""A column of our exports that imports ignore. In any other file it is a column of the organization."""

CONSENT: Final = (
    "consent",
    "consent_scope",
    "consent_source",
    "consent_wording",
    "consent_evidence",
    "consent_at",
)
"""The fields of a person's consent."""

MOST_TAGS: Final = 50
LONGEST_TAG: Final = 50

FIELDS: Final = tuple(field for field in _ALIASES if field != IGNORE)
"""What a column can be mapped to, beside `variable:<name>` and `ignore`."""

LENGTHS: Final[Mapping[str, int]] = {
    "name": 200,
    "first_name": 100,
    "last_name": 100,
    "email": 320,
    "company": 200,
    "time_zone": 64,
    "country": 2,
    "state": 50,
    "language": 20,
    "notes": 4000,
    "consent_scope": 20,
    "consent_source": 200,
    "consent_wording": 2000,
    "consent_evidence": 2000,
}
"""Contact field -> the most characters it holds."""


class MappingInvalid(ValueError):
    """The mapping is wrong. `errors`: header (or "" for the whole mapping) -> what to change."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(errors.values()))
        self.errors = dict(errors)


def unique_headers(cells: Sequence[str]) -> list[str]:
    """Return one distinct, non-empty name for each cell of the header row: `Name`, `Name (2)`, `Column 3`."""
    headers: list[str] = []
    for position, cell in enumerate(cells, start=1):
        base = " ".join(cell.split())[:100] or f"Column {position}"
        names = (base if count == 1 else f"{base} ({count})" for count in range(1, len(cells) + 2))
        headers.append(next(name for name in names if name not in headers))
    return headers


def suggest_mapping(headers: Sequence[str]) -> dict[str, str]:
    """Return a target for each header: each contact field at most once, all other columns as template variables."""
    chosen: dict[str, str] = {}
    keys = {header: _key(header) for header in headers}
    for field, aliases in _ALIASES.items():
        free = [header for header in headers if header not in chosen]
        found = [header for alias in map(_key, aliases) for header in free if keys[header] == alias]
        for header in found if field == IGNORE else found[:1]:
            chosen[header] = field
    if set(headers) >= _EXPORT_HEADERS:
        chosen |= dict.fromkeys((header for header in headers if header in _IGNORED_IN_EXPORTS), IGNORE)
    names = dict(zip(headers, variable_names(headers), strict=True))
    return {header: chosen.get(header, VARIABLE + names[header]) for header in headers}


def canonical_target(target: str, header: str) -> str | None:
    """Return a given target in its canonical spelling; None if there is no such target.

    Aliases such as `phone`, `contact_name` or `timezone` become their fields; `variable` without a name takes it
    from the header.
    """
    wanted = target.strip()
    if wanted == VARIABLE.rstrip(":") or wanted.startswith(VARIABLE):
        name = variable_name(wanted[len(VARIABLE) :] or header)
        return VARIABLE + name if name else None
    if wanted == IGNORE or wanted in FIELDS:
        return wanted
    return next((field for field in FIELDS if _key(wanted) in map(_key, _ALIASES[field])), None)


def check_mapping(headers: Sequence[str], mapping: Mapping[str, str]) -> dict[str, str]:
    """Return the whole mapping in canonical spelling. Raises `MappingInvalid`.

    A header that is not in the mapping is ignored. Exactly one column holds the phone number; no target is used twice.
    """
    errors = {header: f"The file has no column “{header}”." for header in mapping if header not in headers}
    result: dict[str, str] = {}
    for header in headers:
        target = canonical_target(mapping.get(header, IGNORE), header)
        if target is None:
            errors[header] = f"“{mapping[header]}” is not a contact field."
        elif target != IGNORE and target in result.values():
            errors[header] = f"Another column is already used as {target.removeprefix(VARIABLE)}. Choose one."
        result[header] = target or IGNORE
    if errors:
        raise MappingInvalid(errors)
    require_phone_column(result)
    return result


def require_phone_column(mapping: Mapping[str, str]) -> None:
    """Raise `MappingInvalid` unless a column holds the phone number."""
    if PHONE not in mapping.values():
        raise MappingInvalid({"": "Choose the column that holds the phone numbers."})


def tags_in(cell: str) -> list[str]:
    """Return the tags of a cell, each once: the texts of a JSON array, else the parts between commas or semicolons."""
    found = _json_tags(cell) if cell.startswith("[") else None
    tags = re.split(r"[,;]", cell) if found is None else found
    return list(dict.fromkeys(filter(None, map(trimmed, tags))))


def _json_tags(cell: str) -> list[str] | None:
    try:
        found = json.loads(cell)
    except ValueError:
        return None
    return [str(tag) for tag in found if isinstance(tag, str | int)] if isinstance(found, list) else None


def _key(header: str) -> str:
    """Return the header without case, accents, spaces and punctuation."""
    plain = unicodedata.normalize("NFKD", header).lower()
    return re.sub(r"[^a-z0-9]+", "", plain)

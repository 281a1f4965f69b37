"""Formats a batch for PostgreSQL's COPY: one line for each row, with tabs between the columns.

This happens while the batch before is stored. The columns that only the database knows are put in front later.
"""

from collections.abc import Iterable, Mapping, Sequence
from json.encoder import encode_basestring
from typing import Final, NamedTuple

from app.domain.consent import Consent
from app.domain.contact_fields import CONSENT
from app.domain.places import Resolved, resolve
from app.services.imports.issues import Issue, IssueKind
from app.services.imports.rows.consents import Consented
from app.services.imports.rows.row_parser import CARD, FilePerson, ReadRows
from app.services.places.store import postcode_in

COLUMNS: Final = ("number", *CARD, "tags", "fields", *CONSENT)
"""The text columns of a line of `CopyBatch.cards`."""

NULL: Final = "\\N"
_NO_CONSENT: Final = f"{Consent.UNKNOWN}\t\t\t\t\t{NULL}"
_ESCAPES: Final = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
_LONGEST_REASON: Final = 500


class CopyBatch(NamedTuple):
    """The rows of a batch, ready for COPY. An index is the person's in `ReadRows.people`."""

    order: list[int]
    """The indexes in the order of numbers. All code writes contacts in this order, so that there is no deadlock."""
    numbers: str
    """The numbers in that order, separated by blanks."""
    cards: list[str]
    """By index."""
    variables: list[str]
    """By index, as JSON; empty without a campaign."""
    issues: list[str]
    """The issues of rows that do not go in."""
    warnings: dict[int, str]
    """By index, only of people with warnings."""
    places: list[Resolved]
    """Where each person may be by the row alone, by index."""


def copy_batch_of(rows: ReadRows, *, for_campaign: bool) -> CopyBatch:
    """Return what the rows will write. It is slow: call it in a thread."""
    people, keys = rows.people, _Keys()
    numbers = [person.number for person in people]
    order = sorted(range(len(people)), key=numbers.__getitem__)
    return CopyBatch(
        order=order,
        numbers=" ".join([numbers[index] for index in order]),
        cards=[_card(person, keys) for person in people],
        variables=[_json(person.variables, keys) for person in people] if for_campaign else [],
        issues=[issue_line(issue) for issue in rows.issues],
        warnings={
            index: issue_line(warning_of(person)) for index, person in enumerate(people) if person.warnings
        },
        places=[_place(person) for person in people],
    )


def _place(person: FilePerson) -> Resolved:
    get = person.fields.get
    return resolve(
        person.number,
        time_zone=get("time_zone", ""),
        state=get("state", ""),
        country=get("country", ""),
        postcode=postcode_in(person.custom),
    )


def warning_of(person: FilePerson) -> Issue:
    """Return the issue of a person who goes in with warnings."""
    return Issue(person.row, IssueKind.WARNING, " ".join(person.warnings))


def issue_line(issue: Issue) -> str:
    """Return row number, kind, reason and cells."""
    cells = ",".join(map(encode_basestring, issue.row.cells))
    row = f'{{"cells":[{cells}]}}'.replace("\\", r"\\")
    return f"{issue.row.number}\t{issue.kind}\t{escaped(issue.reason[:_LONGEST_REASON])}\t{row}"


def with_head(head: Iterable[object], lines: Sequence[str]) -> str:
    """Return the lines as one text, each after the same first columns."""
    start = "".join(f"{column}\t" for column in head)
    return start + f"\n{start}".join(lines) + "\n" if lines else ""


def escaped(text: str) -> str:
    """Return the text escaped as a column of a line."""
    return text if text.isprintable() and "\\" not in text else text.translate(_ESCAPES)


def _card(person: FilePerson, keys: Mapping[str, str]) -> str:
    get = person.fields.get
    texts = [get(name, "") for name in CARD]
    whole = "".join(texts)
    if "\\" in whole or not whole.isprintable():
        texts = [text.translate(_ESCAPES) for text in texts]
    tags = "{}"
    if person.tags:
        quoted = [tag.replace("\\", r"\\").replace('"', r"\"") for tag in person.tags]
        tags = ("{" + ",".join([f'"{tag}"' for tag in quoted]) + "}").translate(_ESCAPES)
    consent = _consent(person.consent) if person.consent else _NO_CONSENT
    return "\t".join((person.number, *texts, tags, _json(person.custom, keys), consent))


def _consent(said: Consented) -> str:
    texts = map(escaped, (said.source, said.wording, said.evidence))
    return "\t".join((said.status, said.scope, *texts, said.at.isoformat()))


class _Keys(dict[str, str]):
    """Names as they begin an entry of a JSON object; each is encoded once."""

    def __missing__(self, name: str) -> str:
        self[name] = written = f"{encode_basestring(name)}:"
        return written


def _json(texts: Mapping[str, str], keys: Mapping[str, str]) -> str:
    """Return a JSON object of texts, three times as fast as `json.dumps`."""
    if not texts:
        return "{}"
    entries = ",".join([keys[name] + encode_basestring(text) for name, text in texts.items()])
    return f"{{{entries}}}".replace("\\", r"\\")

"""What a batch writes, as PostgreSQL's COPY takes it: one line a row, its columns between tabs.

Written while the batch before is being stored; only what the database alone knows is put in front afterwards.
"""

from collections.abc import Iterable, Mapping, Sequence
from json.encoder import encode_basestring
from typing import Final, NamedTuple

from app.domain.consent import Consent
from app.domain.contact_fields import CONSENT
from app.services.imports.issues import Issue, IssueKind
from app.services.imports.rows.consents import Consented
from app.services.imports.rows.row_parser import CARD, FilePerson, ReadRows

COLUMNS: Final = ("number", *CARD, "tags", "fields", *CONSENT)
"""Of a line of `CopyBatch.cards`."""

NULL: Final = "\\N"
_NO_CONSENT: Final = f"{Consent.UNKNOWN}\t\t\t\t{NULL}"
_ESCAPES: Final = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
_LONGEST_REASON: Final = 500


class CopyBatch(NamedTuple):
    """The rows of a batch, ready to be copied. By index: the person's in `ReadRows.people`."""

    order: list[int]
    """The indexes in the order of numbers. Everybody writes contacts in that order, so that there is no deadlock."""
    numbers: str
    """In that order, with blanks between."""
    cards: list[str]
    """By index."""
    variables: list[str]
    """By index, as JSON; empty if no campaign asks for them."""
    issues: list[str]
    """Of the rows that do not go in."""
    warnings: dict[int, str]
    """By index, of the people who have some."""


def copy_batch_of(rows: ReadRows, *, for_campaign: bool) -> CopyBatch:
    """Return what the rows will write. Takes a while: call it in a thread."""
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
    )


def warning_of(person: FilePerson) -> Issue:
    """Return what there is to check of somebody who goes in."""
    return Issue(person.row, IssueKind.WARNING, " ".join(person.warnings))


def issue_line(issue: Issue) -> str:
    """Return row number, kind, reason and cells."""
    cells = ",".join(map(encode_basestring, issue.row.cells))
    row = f'{{"cells":[{cells}]}}'.replace("\\", r"\\")
    return f"{issue.row.number}\t{issue.kind}\t{escaped(issue.reason[:_LONGEST_REASON])}\t{row}"


def with_head(head: Iterable[object], lines: Sequence[str]) -> str:
    """Return the lines as one text, each behind the same first columns."""
    start = "".join(f"{column}\t" for column in head)
    return start + f"\n{start}".join(lines) + "\n" if lines else ""


def escaped(text: str) -> str:
    """Return the text as a column of a line."""
    return text if text.isprintable() and "\\" not in text else text.translate(_ESCAPES)


def _card(person: FilePerson, keys: Mapping[str, str]) -> str:
    get = person.fields.get
    texts = [get(name, "") for name in CARD]
    whole = "".join(texts)
    if "\\" in whole or not whole.isprintable():
        texts = [text.translate(_ESCAPES) for text in texts]
    tags = _array(person.tags).translate(_ESCAPES) if person.tags else "{}"
    consent = _consent(person.consent) if person.consent else _NO_CONSENT
    return "\t".join((person.number, *texts, tags, _json(person.custom, keys), consent))


def _consent(said: Consented) -> str:
    texts = map(escaped, (said.source, said.wording, said.evidence))
    return "\t".join((said.status, *texts, said.at.isoformat()))


def _array(texts: Sequence[str]) -> str:
    """Return the texts as PostgreSQL writes an array."""
    quoted = [text.replace("\\", r"\\").replace('"', r"\"") for text in texts]
    return "{" + ",".join([f'"{text}"' for text in quoted]) + "}"


class _Keys(dict[str, str]):
    """Names as they begin an entry of a JSON object, each written once."""

    def __missing__(self, name: str) -> str:
        self[name] = written = f"{encode_basestring(name)}:"
        return written


def _json(texts: Mapping[str, str], keys: Mapping[str, str]) -> str:
    """Return an object of texts, three times as fast as `json.dumps` does."""
    if not texts:
        return "{}"
    entries = ",".join([keys[name] + encode_basestring(text) for name, text in texts.items()])
    return f"{{{entries}}}".replace("\\", r"\\")

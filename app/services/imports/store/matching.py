"""Matches the people of a batch with the database: contacts, recipients and suppressions."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.suppression import SuppressionScope, SuppressionSource, scopes_of
from app.models import Campaign
from app.services.campaigns.rows import latest_run
from app.services.imports.issues import IN_THIS_CAMPAIGN, KNOWN_ALREADY, Issue, IssueKind
from app.services.imports.rows.copy_format import CopyBatch, warning_of
from app.services.imports.rows.row_parser import FilePerson, ReadRows
from app.services.imports.store.copy import planned_anew

OPT_OUTS: Final = (SuppressionSource.KEYPRESS, SuppressionSource.SPOKEN, SuppressionSource.STOP_MESSAGE)
"""Sources of suppressions that the person asked for."""

_EVERY_CHANNEL: Final = frozenset({SuppressionScope.ALL})

# A plan made for small tables reads them whole when they have grown, and statistics lag behind an import. So each row
# is looked up by its index, whatever the planner estimates. Several indexes begin with the organization; only the index
# of numbers can serve "from this number to this number, in order".
_BY_INDEX: Final = text(
    "SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true), "
    "set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true)"
)

_KNOWN_SQL: Final = """
SELECT s.nth, c.id, c.consent, :run_id > 0 AND EXISTS (
    SELECT 1 FROM recipient r WHERE r.run_id = :run_id AND r.contact_id = c.id OFFSET 0
) AS is_listed
FROM unnest(string_to_array(:numbers, ' ')) WITH ORDINALITY s (number, nth)
CROSS JOIN LATERAL (
    SELECT id, consent FROM contact
    WHERE organization_id = :organization_id AND number >= s.number AND number <= s.number
    ORDER BY organization_id, number LIMIT 1 {lock}
) c
"""
_KNOWN: Final = text(_KNOWN_SQL.format(lock=""))
# Known contacts cannot be deleted before the batch is stored.
_HELD: Final = text(_KNOWN_SQL.format(lock="FOR KEY SHARE"))

_STOPS: Final = text("""
SELECT s.nth, stop.source, stop.reason, stop.scope, stop.lifted_at
FROM unnest(string_to_array(:numbers, ' ')) WITH ORDINALITY s (number, nth)
CROSS JOIN LATERAL (
    SELECT number, id, source, reason, scope, lifted_at FROM suppression
    WHERE organization_id = :organization_id AND number >= s.number AND number <= s.number
    ORDER BY organization_id, number, id
) stop
ORDER BY s.nth, stop.id
""")


class StandingSuppression(NamedTuple):
    """A standing suppression."""

    source: str
    reason: str


class KnownPerson(NamedTuple):
    """The facts of the database about one person."""

    contact_id: int | None = None
    consent: str = ""
    is_listed: bool = False
    """In the campaign already."""
    stop: StandingSuppression | None = None
    lifted_at: datetime | None = None
    """When the person's last suppression was lifted."""

    @property
    def once_said_no(self) -> bool:
        """Tell whether the person ever asked not to be contacted, even if that was lifted."""
        is_stopped = self.stop is not None and self.stop.source in OPT_OUTS
        return is_stopped or self.lifted_at is not None or self.consent in _NO


class MatchResult(NamedTuple):
    """The facts of the database about the people of a batch."""

    issues: list[Issue]
    known: int
    in_campaign: int
    stopped: int
    """People who must not be contacted on the campaign's channel."""
    opted_out: int
    """People who once asked not to be contacted, even if that was lifted."""
    going_in: frozenset[int]
    """Indexes of the people who go into the campaign or, without one, into the address book."""
    found: dict[int, KnownPerson]
    """By index. The database has no facts about the others."""

    @property
    def contacts(self) -> dict[int, int]:
        """Return the ids of people who are in the address book, by index."""
        ids = ((index, found.contact_id) for index, found in self.found.items())
        return {index: contact_id for index, contact_id in ids if contact_id is not None}

    def warnings(self, rows: ReadRows) -> list[Issue]:
        """Return the warnings of the people who go in; the others have another issue."""
        return [
            warning_of(person)
            for index, person in enumerate(rows.people)
            if person.warnings and index in self.going_in
        ]

    def tally(self, rows: ReadRows) -> dict[str, int]:
        """Return the counts of the rows, as imports and previews show them.

        accepted + rejected + duplicates + suppressed = all rows. The other counts are parts of these.
        """
        in_file = sum(issue.kind is IssueKind.DUPLICATE for issue in rows.issues)
        return {
            "accepted": len(self.going_in),
            "rejected": len(rows.issues) - in_file,
            "duplicates": in_file + self.in_campaign,
            "suppressed": self.stopped,
            "warnings": sum(bool(rows.people[index].warnings) for index in self.going_in),
            "in_campaign": self.in_campaign,
            "known": self.known,
            "opted_out": self.opted_out,
        }


NO_MATCHES: Final = MatchResult([], 0, 0, 0, 0, frozenset(), {})


async def match_people(
    session: AsyncSession,
    people: Sequence[FilePerson],
    lines: CopyBatch,
    *,
    organization_id: int,
    campaign: Campaign | None,
    hold: bool = True,
) -> MatchResult:
    """Return who of the people is in the address book, in the campaign, or must not be contacted.

    With `hold`, their contacts cannot be deleted before this transaction ends.
    """
    await session.execute(_BY_INDEX)
    run_id = (await latest_run(session, campaign.id)).id if campaign else 0
    same = {"organization_id": organization_id, "numbers": lines.numbers}
    async with planned_anew(session):
        known = await session.execute(_HELD if hold else _KNOWN, same | {"run_id": run_id})
        stops = await session.execute(_STOPS, same)
    found = {lines.order[row.nth - 1]: KnownPerson(row.id, row.consent, row.is_listed) for row in known}
    scopes = scopes_of(campaign.channel) if campaign else _EVERY_CHANNEL
    for row in stops:
        index = lines.order[row.nth - 1]
        found[index] = _stopped(found.get(index, KnownPerson()), row, scopes)
    return _match_result(people, found, is_campaign=campaign is not None)


def _stopped(found: KnownPerson, row: Any, scopes: Collection[SuppressionScope]) -> KnownPerson:
    """Add one suppression; call it in the order of their age. A suppression by the person's own wish comes first."""
    if row.lifted_at is not None:
        return found._replace(lifted_at=row.lifted_at) if row.source in OPT_OUTS else found
    if row.scope not in scopes or (
        found.stop and (found.stop.source in OPT_OUTS or row.source not in OPT_OUTS)
    ):
        return found
    return found._replace(stop=StandingSuppression(row.source, row.reason))


def _match_result(
    people: Sequence[FilePerson], found: dict[int, KnownPerson], *, is_campaign: bool
) -> MatchResult:
    issues: list[Issue] = []
    stays_out: set[int] = set()
    for index, of_one in sorted(found.items()):
        said = _class(of_one, people[index], is_campaign=is_campaign)
        if said is None:
            continue
        issues.append(Issue(people[index].row, *said))
        if of_one.stop or of_one.is_listed:
            stays_out.add(index)
        elif of_one.contact_id is not None and said[0] is not IssueKind.KNOWN:
            issues.append(Issue(people[index].row, IssueKind.KNOWN, KNOWN_ALREADY))
    each = found.values()
    return MatchResult(
        issues=issues,
        known=sum(one.contact_id is not None for one in each),
        in_campaign=sum(one.is_listed and not one.stop for one in each),
        stopped=sum(one.stop is not None for one in each),
        opted_out=sum(one.once_said_no for one in each),
        going_in=frozenset(range(len(people))) - stays_out,
        found=found,
    )


def _class(found: KnownPerson, person: FilePerson, *, is_campaign: bool) -> tuple[IssueKind, str] | None:
    """Return the first issue of a person; None if the facts are about another channel."""
    if found.stop:
        kind = IssueKind.OPTED_OUT if found.stop.source in OPT_OUTS else IssueKind.SUPPRESSED
        why = f" ({found.stop.reason})" if found.stop.reason else ""
        then = "is listed as skipped" if is_campaign else "is kept in the address book only"
        return kind, f"This number must not be contacted{why}. It {then}."
    if found.is_listed:
        return IssueKind.IN_CAMPAIGN, IN_THIS_CAMPAIGN
    if found.lifted_at is not None:
        return IssueKind.OPTED_OUT, _lifted(found.lifted_at)
    if found.consent in _NO:
        return IssueKind.OPTED_OUT, _said_no(found.consent, person)
    return (IssueKind.KNOWN, KNOWN_ALREADY) if found.contact_id is not None else None


_NO: Final = frozenset({"denied", "withdrawn"})


def _said_no(consent: str, person: FilePerson) -> str:
    said = f"This person's consent is {consent}: campaigns that need it skip them."
    if person.consent is None or person.consent.status in _NO:
        return said
    return f"{said} The file says that it is {person.consent.status}: only a person can turn a no into a yes."


def _lifted(at: datetime) -> str:
    return (
        f"This person once asked not to be contacted. That was lifted on {at:%Y-%m-%d}, so they go in: "
        "check that this is right."
    )

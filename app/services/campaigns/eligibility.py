"""Counts how many of a campaign's waiting people will be contacted or skipped, as the dialer would decide now.

A million people are not checked one by one. SQL sorts them into kinds: all people of a kind get the same answer from
the gate and from the templates. Then the gate's rules and the dialer's rendering check one person of each kind.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.consent import Consent, consent_for
from app.domain.gate import SKIPS, PersonFacts, Rule, ending
from app.domain.recipient import RecipientStatus
from app.domain.rights import Right
from app.domain.suppression import scope_of
from app.domain.template_variables import HONORIFICS, NAME_PARTS
from app.domain.templates import (
    Missing,
    MissingVariable,
    TemplateInvalid,
    Untellable,
    compared,
    deciding,
    variable_name,
    variables_in,
)
from app.models import Agent, Organization
from app.services.access.principal import Principal, authorize
from app.services.campaigns.readiness import recipient_variable_names
from app.services.campaigns.rendering import (
    attempt_variables,
    broken_templates,
    lacking,
    part_sources,
    render_attempt_texts,
)
from app.services.campaigns.rows import CampaignRows, load_rows
from app.services.campaigns.views import Eligibility, Skipped
from app.services.recipients.attempts_allowed import attempts_of
from app.services.recipients.gate_facts import COUNTS_FOR_CAP, STANDING_SUPPRESSION
from app.services.refs import Ref

SKIPPED_AHEAD: Final = "skipped_ahead"
"""The filter value in an address that shows the people of `list_skipped`."""

MOST_LISTED: Final = 10_000
"""Most skipped people that are listed."""

_AT_ONCE: Final = 500
"""Kinds checked before other tasks of the process run."""

_MOST_ARGUMENTS: Final = 50
"""Most arguments of one array function: PostgreSQL allows 100."""


async def count_eligible(
    session: AsyncSession,
    rows: CampaignRows,
    *,
    agent: Agent | None,
    names: Collection[str],
    now: datetime,
) -> Eligibility:
    """Count the people of the newest run who will be contacted and skipped. `names`: all variables of the recipients.

    If a template is missing or cannot be read, no one is skipped because of it: a start is refused then.
    """
    kinds = await _kinds(session, rows, agent, names, now)
    contacted = capped = used_up = 0
    skipped: Counter[tuple[str, str]] = Counter()
    lacking: Counter[str] = Counter()
    async for kind, count in _counted(session, kinds):
        judged = kinds.judge(kind)
        if judged.rule is None:
            contacted += count
            capped += count if judged.capped else 0
            lacking.update(dict.fromkeys(judged.lacking, count))
        elif judged.rule in SKIPS:
            skipped[judged.rule, judged.variable] += count
        else:
            used_up += count
    others = (await session.execute(_NOT_WAITING, {"campaign_id": rows.campaign.id})).all()
    for row in others:
        if row.status == RecipientStatus.SKIPPED:
            skipped[row.blocked_by or "", ""] += row.people
    reasons = [Skipped(rule, variable, count) for (rule, variable), count in skipped.most_common()]
    waiting = contacted + used_up + sum(each.count for each in reasons)
    done = sum(row.people for row in others if row.status != RecipientStatus.SKIPPED)
    return Eligibility(
        total=waiting + done,
        contacted=contacted,
        capped=capped,
        used_up=used_up,
        skipped=reasons,
        lacking=dict(sorted(lacking.items())),
    )


async def list_skipped(
    session: AsyncSession, *, principal: Principal, campaign_ref: Ref, now: datetime
) -> dict[int, str]:
    """Return the recipients of the newest run who are or will be skipped, with the reason, in the file's order.

    At most `MOST_LISTED`. Raises `NotFound`.
    """
    authorize(principal, Right.VIEW)
    rows = await load_rows(session, principal, campaign_ref)
    agent = await session.get(Agent, rows.campaign.agent_id) if rows.campaign.agent_id is not None else None
    names = await recipient_variable_names(session, rows.campaign.id)
    kinds = await _kinds(session, rows, agent, names, now)
    judged = {kind: kinds.judge(kind) async for kind, _ in _counted(session, kinds)}
    why = {kind: each.why for kind, each in judged.items() if each.rule in SKIPS}
    found = await session.execute(
        kinds.statement(_LIST), {**kinds.parameters, "kinds": list(why), "most": MOST_LISTED}
    )
    return {row.id: row.blocked_why or why.get(row.kind, "") for row in found}


@dataclass(frozen=True, slots=True)
class _Judged:
    """The decision for the people of one kind."""

    rule: Rule | None
    """The rule that skips them; None: they are contacted."""
    why: str
    variable: str
    """The variable without a value, if that is why."""
    capped: bool
    """They have reached the frequency cap for now."""
    lacking: tuple[str, ...]
    """Variables that the message uses although these people have no value for them."""


@dataclass(frozen=True, slots=True)
class _Value:
    """One value that changes the message: of the contact's card or of its row in the import."""

    source: Literal["card", "row"]
    key: str
    told: Literal["presence", "shape", "value"]
    """What matters: whether there is a value, its number of words and its title, or all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _OneOfThem:
    """A card that stands for all people of a kind."""

    number: str = "+12025550100"
    name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    company: str | None = None
    notes: str | None = None


_ON_CARD: Final = ("name", "first_name", "last_name", "email", "company", "notes")


class _Kinds:
    """The kinds of one campaign: the SQL that sorts people into them, and the decision for each."""

    def __init__(
        self,
        rows: CampaignRows,
        agent: Agent | None,
        organization: Organization,
        names: Collection[str],
        now: datetime,
    ) -> None:
        self._rows, self._agent, self._organization = rows, agent, organization
        self._sources = {} if broken_templates(rows.step, agent) else part_sources(rows.step, agent)
        self._values = _deciding_values(self._sources.values(), names)
        campaign = rows.campaign
        self.parameters: Mapping[str, Any] = {
            "campaign_id": campaign.id,
            "organization_id": campaign.organization_id,
            "attempts_allowed": attempts_of(campaign),
            "scope": scope_of(campaign.channel).value,
            "cap": organization.frequency_cap,
            "cap_since": now - timedelta(hours=organization.frequency_cap_hours),
            "visible": _VISIBLE,
            "word": _WORD,
            "two_words": _TWO_WORDS,
            "odd": _ODD,
            "title": _TITLE,
            **{f"key_{place}": each.key for place, each in enumerate(self._values) if each.source == "row"},
        }

    def statement(self, tail: str) -> TextClause:
        """Return a statement with `judged` (id, position and kind of each waiting person), followed by `tail`."""
        told = [_told(value, f"key_{place}") for place, value in enumerate(self._values)]
        arrays = [
            f"jsonb_build_array({', '.join(told[at : at + _MOST_ARGUMENTS])})"
            for at in range(0, len(told), _MOST_ARGUMENTS)
        ]
        return text(_JUDGED.format(values=" || ".join(["'[]'::jsonb", *arrays])) + tail)

    def judge(self, kind: str) -> _Judged:
        """Return the decision for the people of a kind: the gate's answer about one of them."""
        reason, consent, scope, made, most, capped, values = json.loads(kind)
        card, row = self._one_of_them(values)
        problem = self._text_problem(card, row)
        blocked = ending(
            PersonFacts(
                suppressed_because=reason,
                consent=consent_for(self._rows.campaign.channel, Consent(consent), scope),
                purpose=self._rows.campaign.purpose,
                attempts_made=made,
                attempts_allowed=most,
                text_problem=str(problem) if problem is not None else None,
            )
        )
        is_text = blocked is not None and blocked.rule is Rule.TEMPLATE
        return _Judged(
            rule=blocked.rule if blocked is not None else None,
            why=blocked.why if blocked is not None else "",
            variable=problem.name if is_text and isinstance(problem, MissingVariable) else "",
            capped=capped,
            lacking=self._lacking(card, row) if blocked is None else (),
        )

    def _one_of_them(self, values: Sequence[Any]) -> tuple[_OneOfThem, dict[str, Any]]:
        told = list(zip(self._values, values, strict=True))
        on_card = {value.key: given for value, given in told if value.source == "card" and given is not None}
        in_row = {value.key: given for value, given in told if value.source == "row" and given is not None}
        return _OneOfThem(**on_card), in_row

    def _text_problem(self, card: _OneOfThem, row: Mapping[str, Any]) -> Untellable | TemplateInvalid | None:
        if not self._sources:
            return None
        campaign = self._rows.campaign
        try:
            render_attempt_texts(self._rows.step, campaign, self._agent, self._organization.name, card, row)
        except (Untellable, TemplateInvalid) as problem:
            return problem
        return None

    def _lacking(self, card: _OneOfThem, row: Mapping[str, Any]) -> tuple[str, ...]:
        campaign = self._rows.campaign
        if campaign.missing is Missing.SKIP:
            return ()  # Then all people who are contacted have every value.
        values = attempt_variables(campaign, self._agent, self._organization.name, card, row)
        names = (name for source in self._sources.values() for name in lacking(campaign, source, values))
        return tuple(dict.fromkeys(names))


async def _kinds(
    session: AsyncSession,
    rows: CampaignRows,
    agent: Agent | None,
    names: Collection[str],
    now: datetime,
) -> _Kinds:
    organization = await session.get_one(Organization, rows.campaign.organization_id)
    return _Kinds(rows, agent, organization, names, now)


async def _counted(session: AsyncSession, kinds: _Kinds) -> AsyncIterator[tuple[str, int]]:
    """Yield each kind with its number of people."""
    found = (await session.execute(kinds.statement(_COUNT), kinds.parameters)).all()
    for place, row in enumerate(found, start=1):
        yield row.kind, row.people
        if place % _AT_ONCE == 0:
            await asyncio.sleep(0)


def _deciding_values(sources: Collection[str], names: Collection[str]) -> list[_Value]:
    """Return the values that change these templates' texts from person to person."""
    used = {variable_name(name) for source in sources for name in variables_in(source)}
    whole = deciding(name for source in sources for name in compared(source))
    parts = deciding(used & NAME_PARTS)
    decide = deciding(used)

    def told(name: str) -> Literal["presence", "shape", "value"]:
        if name in whole:
            return "value"
        return "shape" if name in parts else "presence"

    number = [_Value("card", "number", "value")] if "phone_number" in whole else []
    card = [_Value("card", name, told(name)) for name in _ON_CARD if name in decide]
    plain = {name: variable_name(name) for name in names}
    row = [_Value("row", name, told(plain[name])) for name in names if plain[name] in decide]
    return [*number, *card, *row]


def _told(value: _Value, parameter: str) -> str:
    """Return the SQL of the part of the value that matters."""
    if value.source == "row" and value.told == "value":
        return f"r.variables -> CAST(:{parameter} AS text)"
    text_of = (
        f"contact.{value.key}" if value.source == "card" else f"(r.variables ->> CAST(:{parameter} AS text))"
    )
    match value.told:
        case "value":
            return text_of
        case "presence":
            return _PRESENCE.format(value=text_of)
        case "shape":
            return _SHAPE.format(value=text_of)


# Characters that are not blank (`app.domain.text`), and those of them that do not separate names. Others stay.
_LETTERS: Final = (
    r"\u00a1-\u00ac\u00ae-\u034e\u0350-\u05ff\u0606-\u061b\u061d-\u06dc\u06de-\u070e\u0710-\u088f\u0892-\u08e1"
    r"\u08e3-\u115e\u1161-\u167f\u1681-\u17b3\u17b6-\u180a\u1810-\u1fff\u3001-\u3163\u3165-\ud7ff"
)
_SPACE: Final = r"\u0020\u00a0\u3000"
_VISIBLE: Final = rf"[\u0021-\u007e{_LETTERS}]"
_WORD: Final = rf"[\u0021-\u002b\u002d-\u007e{_LETTERS}]+"
_TWO_WORDS: Final = rf"{_WORD}[{_SPACE}]+{_WORD}"
_ODD: Final = rf"[^\u0021-\u007e{_LETTERS}{_SPACE}]"
_TITLE: Final = rf"^[{_SPACE}]*({'|'.join(sorted(HONORIFICS))})\.*([{_SPACE}]|$)"

_PRESENCE: Final = "CASE WHEN {value} ~ :visible THEN 'x' ELSE nullif({value}, '') END"

# Words are replaced only in a name with a title or a comma: replacing takes several times as long as testing.
_SHAPE: Final = """
    CASE WHEN {value} = '' OR {value} ~ :odd THEN nullif({value}, '')
         WHEN {value} ~* :title
         THEN 'mr ' || regexp_replace(regexp_replace({value}, :title, ' ', 'i'), :word, 'x', 'g')
         WHEN strpos({value}, ',') > 0 THEN regexp_replace({value}, :word, 'x', 'g')
         WHEN {value} ~ :two_words THEN 'x x'
         WHEN {value} ~ :visible THEN 'x' ELSE {value} END
"""

_JUDGED: Final = f"""
    WITH suppressed AS MATERIALIZED (
        SELECT number, min(reason) AS reason FROM suppression WHERE {STANDING_SUPPRESSION} GROUP BY number
    ), capped AS MATERIALIZED (
        SELECT a.number_to FROM attempt a
        WHERE CAST(:cap AS integer) > 0 AND {COUNTS_FOR_CAP}
        GROUP BY a.number_to HAVING count(*) >= CAST(:cap AS integer)
    ), judged AS (
        SELECT r.id, r.position,
               CAST(jsonb_build_array(
                   suppressed.reason, contact.consent, contact.consent_scope, r.attempts_made,
                   coalesce(r.attempts_allowed, CAST(:attempts_allowed AS integer)),
                   capped.number_to IS NOT NULL, {{values}}
               ) AS text) AS kind
        FROM recipient r JOIN contact ON contact.id = r.contact_id
        LEFT JOIN suppressed ON suppressed.number = contact.number
        LEFT JOIN capped ON capped.number_to = contact.number
        WHERE r.campaign_id = :campaign_id AND r.status = 'pending'
    )
"""  # noqa: S608 - constants are put in, nothing a caller gives

_COUNT: Final = "SELECT kind, count(*) AS people FROM judged GROUP BY kind"

_LIST: Final = """
    SELECT id, position, kind, NULL AS blocked_why FROM judged WHERE kind = ANY(CAST(:kinds AS text[]))
    UNION ALL
    SELECT id, position, NULL, blocked_why FROM recipient
    WHERE campaign_id = :campaign_id AND status = 'skipped'
      AND run_id = (SELECT id FROM run WHERE campaign_id = :campaign_id ORDER BY number DESC LIMIT 1)
    ORDER BY position, id LIMIT :most
"""

_NOT_WAITING: Final = text(
    """
    SELECT status, blocked_by, count(*) AS people FROM recipient
    WHERE campaign_id = :campaign_id AND status <> 'pending'
      AND run_id = (SELECT id FROM run WHERE campaign_id = :campaign_id ORDER BY number DESC LIMIT 1)
    GROUP BY status, blocked_by
    """
)

"""How an organization keeps legal hours, why that was changed, and the table of the law itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.domain.calling_hours import describe
from app.domain.legal_hours import ANY_OTHER
from app.domain.legal_policy import LegalPolicy
from app.domain.rights import Right
from app.models import LegalPolicyChange, Organization
from app.runtime.legal_hours import get_legal_hours
from app.services.access.principal import Principal, authorize
from app.services.field_readers import ChangeReader, Unacceptable, cleaned, items

DEMO_REASON: Final = "Demo: the carrier is the simulator, no real person is called."
"""It is no reason on a real carrier: a start is refused there."""
DEMO_POLICY: Final[Mapping[str, Any]] = {
    "legal_policy": LegalPolicy.OFF,
    "legal_policy_reason": DEMO_REASON,
}
"""The changes of an organization that has the demo's data, so that it can be played through at any hour."""

MOST_BLACKOUTS: Final = 200
LONGEST_BLACKOUT_DAYS: Final = 366
_LONGEST_NAME: Final = 100
_LONGEST_REASON: Final = 500
_LOOSER: Final = (LegalPolicy.STRICT, LegalPolicy.LAW, LegalPolicy.OFF)
"""Each is looser than the one before."""


@dataclass(frozen=True, slots=True)
class PolicyChangeView:
    """One change of the policy."""

    id: int
    old: LegalPolicy
    new: LegalPolicy
    reason: str
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LegalRuleView:
    """One rule of the table, for people to read."""

    law: str
    name: str
    hours: str
    """`08:00 to 20:00, Monday to Saturday`."""
    closed_on_holidays: bool
    attempts_per_day: int | None
    source: str
    verify: bool
    """Sources disagree, or the original was not read: the careful value is here."""


@dataclass(frozen=True, slots=True)
class LegalTableView:
    """The table of legal hours."""

    version: str
    rules: list[LegalRuleView]
    """By name; that of every other country is last."""


def legal_table(*, principal: Principal) -> LegalTableView:
    """Return the table that this installation goes by."""
    authorize(principal, Right.VIEW)
    table = get_legal_hours()
    rules = sorted(table.rules.values(), key=lambda rule: (rule.law == ANY_OTHER, rule.law))
    return LegalTableView(
        table.version,
        [
            LegalRuleView(
                law=rule.law,
                name=rule.name,
                hours=describe(rule.windows),
                closed_on_holidays=rule.closed_on_holidays,
                attempts_per_day=rule.attempts_per_day,
                source=rule.source,
                verify=rule.verify,
            )
            for rule in rules
        ],
    )


async def legal_policy_history(session: AsyncSession, *, principal: Principal) -> list[PolicyChangeView]:
    """Return all changes of the organization's policy, the newest first."""
    authorize(principal, Right.VIEW)
    changes = (
        select(LegalPolicyChange)
        .where(col(LegalPolicyChange.organization_id) == principal.organization_id)
        .order_by(col(LegalPolicyChange.id).desc())
    )
    return [
        PolicyChangeView(each.id, each.old, each.new, each.reason, each.actor, each.at)
        for each in (await session.execute(changes)).scalars()
    ]


def read_policy(reader: ChangeReader, now_it_is: LegalPolicy) -> None:
    """Read `legal_policy`, and `legal_policy_reason`: a looser policy needs one. Both stay in the reader's values."""
    reason = reader.text("legal_policy_reason", label="The reason", most=_LONGEST_REASON)
    policy = reader.read("legal_policy", _policy)
    if policy is None:
        return
    is_looser = _LOOSER.index(policy) > _LOOSER.index(now_it_is)
    if is_looser and not reason and "legal_policy_reason" not in reader.errors:
        reader.refuse("legal_policy_reason", "Say why legal hours are loosened. The reason is kept.")


def keep_policy(
    session: AsyncSession,
    organization: Organization,
    changed: dict[str, Any],
    *,
    principal: Principal,
    now: datetime,
) -> None:
    """Write the change of the policy with its reason, if it changes; the reason is taken out of `changed`."""
    reason = changed.pop("legal_policy_reason", "")
    policy = changed.get("legal_policy", organization.legal_policy)
    if policy is not organization.legal_policy:
        session.add(
            LegalPolicyChange(
                organization_id=organization.id,
                old=organization.legal_policy,
                new=policy,
                reason=reason,
                actor=principal.actor,
                at=now,
            )
        )


def _policy(raw: Any) -> LegalPolicy:
    try:
        return LegalPolicy(raw)
    except ValueError:
        raise Unacceptable(f"Choose one of: {', '.join(LegalPolicy)}.") from None


def read_blackouts(raw: Any) -> list[dict[str, str]]:
    """Return blackout dates as the column keeps them: `from`, `until` (both included) and `name`, in order of time.

    `until` left out is one day. Raises `Unacceptable`, with what is wrong by the place in the list: `0.from`.
    """
    given = list(items(raw if raw is not None else []))
    if len(given) > MOST_BLACKOUTS:
        raise Unacceptable(f"At most {MOST_BLACKOUTS} blackout dates.")
    rows: list[dict[str, str]] = []
    wrong: dict[str, str] = {}
    for place, each in enumerate(given):
        try:
            rows.append(_blackout(each))
        except Unacceptable as problem:
            wrong |= {f"{place}.{part}": why for part, why in problem.parts.items()} or {
                str(place): str(problem)
            }
    if wrong:
        raise Unacceptable("Some of these dates cannot be taken.", parts=wrong)
    unique = {tuple(row.items()): row for row in rows}
    return sorted(unique.values(), key=lambda row: (row["from"], row["until"], row["name"]))


def _blackout(raw: Any) -> dict[str, str]:
    if not isinstance(raw, Mapping) or raw.keys() - {"from", "until", "name"}:
        raise Unacceptable("Give from, until and name.")
    start = _date("from", raw.get("from"))
    end = _date("until", raw.get("until") or raw.get("from"))
    name = raw.get("name") or ""
    if end < start:
        raise Unacceptable("", parts={"until": "The last day is before the first."})
    if (end - start).days >= LONGEST_BLACKOUT_DAYS:
        raise Unacceptable("", parts={"until": f"At most {LONGEST_BLACKOUT_DAYS} days at once."})
    if not isinstance(name, str) or len(cleaned(name)) > _LONGEST_NAME:
        raise Unacceptable("", parts={"name": f"Give a name of at most {_LONGEST_NAME} characters."})
    return {"from": start.isoformat(), "until": end.isoformat(), "name": cleaned(name)}


def _date(part: str, raw: Any) -> date:
    try:
        return date.fromisoformat(raw.strip())
    except (AttributeError, ValueError):
        raise Unacceptable("", parts={part: "Give a date such as 2026-12-24."}) from None

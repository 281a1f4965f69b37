"""Lists of statuses for SQL, made from the domain's sets. Statements use these names, not literal lists.

Every list has its parentheses, for `status IN {LIVE}`. The order is that of the enum, so that a statement has the same
text in every process.
"""

from collections.abc import Collection
from enum import StrEnum
from typing import Final

from app.domain import attempt, campaign, consent, number_health, outcomes, recipient
from app.domain.campaign import Channel
from app.domain.suppression import SuppressionScope, scope_of


def listed(words: Collection[StrEnum]) -> str:
    """Return members of one enum as a list for IN. At least one is required."""
    every = type(next(iter(words)))
    return "({})".format(", ".join(f"'{word}'" for word in every if word in words))


def among(words: Collection[StrEnum]) -> str:
    """Return the condition that a column is one of the members: `= 'queued'`, or `IN ('queued', 'running')`."""
    return f"= '{next(iter(words))}'" if len(words) == 1 else f"IN {listed(words)}"


# Attempts.
LIVE: Final = listed(attempt.LIVE)
ENDED_ATTEMPT: Final = listed(attempt.ENDED)
OURS: Final = listed(attempt.OURS)
THE_CARRIERS: Final = listed(attempt.THE_CARRIERS)
PLACED: Final = listed(attempt.PLACED)
NOT_RINGING: Final = listed(attempt.NOT_RINGING)
CHARGED: Final = listed(attempt.CHARGED)
DROPPED: Final = listed(attempt.DROPPED)
PICKED_UP: Final = listed(number_health.PICKED_UP)
JUDGED: Final = listed(number_health.JUDGED)
BEFORE_THE_ANSWER: Final = listed(outcomes.BEFORE_THE_ANSWER)

# Campaigns.
DIALING: Final = listed(campaign.DIALING)
UNDER_WAY: Final = listed(campaign.UNDER_WAY)
OVER: Final = listed(campaign.OVER)

# Recipients.
OPEN: Final = listed(recipient.OPEN)
ADDED_AS: Final = listed(recipient.ADDED_AS)
ENDED_BY_ATTEMPT: Final = listed(recipient.ENDED_BY_ATTEMPT)

# Contacts.
CONSENT_REFUSED: Final = listed(consent.REFUSED)


def scope_for(channel: str) -> str:
    """Return an expression for the channel's own suppression scope, e.g. for the column `a.channel`."""
    usual = scope_of(Channel.CALL)
    others = (each for each in Channel if scope_of(each) is not usual)
    whens = " ".join(f"WHEN '{each}' THEN '{scope_of(each)}'" for each in others)
    return f"CASE {channel} {whens} ELSE '{usual}' END"


def closed_by(scope: str) -> str:
    """Return the list of suppression scopes that block this scope, which is an expression."""
    return f"('{SuppressionScope.ALL}', {scope})"


def closes(column: str, scope: str) -> str:
    """Return `column IN closed_by(scope)` as two comparisons, which get a better plan than an array."""
    return f"({column} = '{SuppressionScope.ALL}' OR {column} = {scope})"


CALLS_CLOSED_BY: Final = closed_by(f"'{scope_of(Channel.CALL)}'")

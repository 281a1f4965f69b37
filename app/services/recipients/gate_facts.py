"""The gate's facts about people as SQL: for the dialer, which asks about a few, and for the preflight of all."""

from typing import Final

from app.models import sql

STANDING_SUPPRESSION: Final = f"""
    organization_id = :organization_id AND lifted_at IS NULL AND scope IN {sql.closed_by("CAST(:scope AS varchar)")}
"""
"""Condition on `suppression`: the number must not be contacted. `scope`: the scope of the channel."""

_COUNTS: Final = """
    a.organization_id = :organization_id AND a.status <> 'not_placed'
    AND (a.provider_id IS NOT NULL OR a.ended_as IS NULL)
"""
COUNTS_FOR_CAP: Final = f"{_COUNTS} AND a.reserved_at > :cap_since"
"""Condition on `attempt` a: it counts for the frequency cap of its number."""

COUNTS_FOR_LAW: Final = f"{_COUNTS} AND a.reserved_at > :day_ago"
"""Condition on `attempt` a: it counts for the cap that the law of its number's place sets for 24 hours."""

"""The gate's facts about people as SQL: for the dialer, which asks about a few, and for the preflight of all."""

from typing import Final

from app.models import sql

STANDING_SUPPRESSION: Final = f"""
    organization_id = :organization_id AND lifted_at IS NULL AND scope IN {sql.closed_by("CAST(:scope AS varchar)")}
"""
"""Condition on `suppression`: the number must not be contacted. `scope`: the scope of the channel."""

COUNTS_FOR_CAP: Final = """
    a.organization_id = :organization_id AND a.reserved_at > :cap_since AND a.status <> 'not_placed'
    AND (a.provider_id IS NOT NULL OR a.ended_as IS NULL)
"""
"""Condition on `attempt` a: it counts for the frequency cap of its number."""

"""What the gate asks of people, in SQL: for the dialer, which asks of few, and the forecast, which asks of all."""

from typing import Final

from app.models import sql

STANDING_SUPPRESSION: Final = f"""
    organization_id = :organization_id AND lifted_at IS NULL AND scope IN {sql.closed_by("CAST(:scope AS varchar)")}
"""
"""The condition on `suppression` under which a number must not be contacted; `scope`: its channel's."""

COUNTS_FOR_CAP: Final = """
    a.organization_id = :organization_id AND a.reserved_at > :cap_since AND a.status <> 'not_placed'
    AND (a.provider_id IS NOT NULL OR a.ended_as IS NULL)
"""
"""The condition on `attempt` a under which it counts for the frequency cap of its number."""

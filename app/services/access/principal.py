"""Who asks, and whether they may."""

from dataclasses import dataclass

from app.domain.rights import Right, Role, has_right
from app.services.errors import NotAllowed


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """A member or an API key, acting in one organization."""

    organization_id: int
    organization_slug: str
    organization_name: str
    role: Role
    actor: str
    """The name in the history: an e-mail address, or `key:<name>`."""
    time_zone: str
    user_id: int | None = None
    key_id: int | None = None


def authorize(principal: Principal, right: Right) -> None:
    """Raise `NotAllowed` unless the principal's role includes the right. Every use case begins with it."""
    if not has_right(principal.role, right):
        raise NotAllowed(right)

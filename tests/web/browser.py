"""A browser of a signed-in member: real guard, real services, real database, no pixels."""

from typing import Any

from reflex.state import State

from app.domain.rights import Role
from app.models import Organization
from app.runtime.context import get_context
from app.services.access.sessions import SESSION_COOKIE, begin_session
from tests.support.builders import make_member
from tests.web.conftest import Driver


class Browser:
    """One tab on one page, with a member's cookie."""

    def __init__(self, tab: Driver, cookie: str, path: str) -> None:
        self.tab = tab
        self.cookie = cookie
        self.path = path

    async def send(self, event: Any) -> list[Any]:
        """Run one event as it comes from this page, and return the deltas."""
        await self._arrive()
        return await self.tab.send(event)

    async def _arrive(self) -> None:
        """Put address and cookie where a connected page has them. An event that brought them would load the app."""
        root = await self.tab.state(State)
        router = {
            "pathname": self.path,
            "asPath": self.path,
            "query": {},
            "token": self.tab.token,
            "headers": {"cookie": self.cookie, "host": "localhost", "origin": "http://localhost"},
        }
        if root.router_data.get("asPath") != self.path:
            root.router_data = root._update_router_vars(router, root.router_data)


async def signed_in(
    tab: Driver, organization: Organization, path: str, *, role: Role = Role.OWNER
) -> Browser:
    """Open a page of the organization as a new member with that role; `path` follows the organization's slug."""
    context = get_context()
    async with context.database.transaction() as session:
        member = await make_member(session, organization, role=role)
        token = await begin_session(session, user_id=member.id, user_agent="", now=context.clock.now())
    return Browser(tab, f"{SESSION_COOKIE}={token}", f"/{organization.slug}{path}")

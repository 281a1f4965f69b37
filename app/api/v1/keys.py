"""API keys, for owners."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.caller import Keyed, KeyedRoute, Repeatable
from app.api.v1.fields import Body, Moment, RowId, at_most
from app.domain.rights import Role
from app.services.access.keys import create_key, list_keys, revoke_key

router = APIRouter(prefix="/keys", tags=["keys"], route_class=KeyedRoute)


class KeyBody(Body):
    """A new key."""

    name: Annotated[str, at_most(200)]
    role: Role


class KeyAnswer(BaseModel):
    """A key, without its secret."""

    id: int
    name: str
    prefix: str
    role: str
    created_at: Moment
    last_used_at: Moment | None
    revoked_at: Moment | None


class Keys(BaseModel):
    """All keys, revoked ones too."""

    items: list[KeyAnswer]
    total: int


class NewKeyAnswer(BaseModel):
    """A new key."""

    id: int
    name: str
    prefix: str
    role: str
    key: str | None = Field(description="Shown only once: null when the request is repeated.")


@router.get("")
async def index(caller: Keyed) -> Keys:
    """List the organization's keys, for owners."""
    async with caller.reading() as session:
        found = await list_keys(session, principal=caller.principal)
    same = KeyAnswer.model_fields
    items = [KeyAnswer(**{name: getattr(view, name) for name in same}) for view in found]
    return Keys(items=items, total=len(items))


@router.post("", status_code=HTTPStatus.CREATED, response_model=NewKeyAnswer)
async def create(body: KeyBody, caller: Repeatable) -> Response:
    """Create a key. It is shown once."""

    async def work(session: AsyncSession) -> NewKeyAnswer:
        new = await create_key(
            session, principal=caller.principal, name=body.name, role=body.role, now=caller.now
        )
        return NewKeyAnswer(id=new.id, name=body.name, prefix=new.prefix, role=body.role, key=new.key)

    return await caller.once(work, secrets=frozenset({"key"}))


@router.delete("/{key_id}", status_code=HTTPStatus.NO_CONTENT)
async def revoke(key_id: RowId, caller: Repeatable) -> Response:
    """Revoke a key. This cannot be undone."""
    return await caller.gone_once(
        lambda session: revoke_key(session, principal=caller.principal, key_id=key_id, now=caller.now)
    )

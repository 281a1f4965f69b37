"""Voice agents."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlmodel import Field

from app.models.columns import Row, identity, moment, reference


class Agent(Row, table=True):
    """A voice agent. In this version it speaks the campaign's script; `prompt` briefs a language model later."""

    id: int = identity()
    public_id: UUID = Field(default_factory=uuid4, unique=True)
    organization_id: int = reference("organization.id", index=True)
    name: str = Field(max_length=200)
    """The variable `assistant_name` of templates."""
    description: str = Field(default="", max_length=2000)
    voice: str = Field(default="Polly.Joanna-Neural", max_length=100)
    language: str = Field(default="en-US", max_length=20)
    greeting: str = Field(default="", max_length=4000)
    """The greeting of campaigns without one."""
    prompt: str = Field(default="", max_length=10000)
    max_concurrent_calls: int = Field(default=0, ge=0)
    """The most live calls at once, in all campaigns together; 0 is no limit (seed 003)."""
    default_phone_number_id: int | None = reference("phone_number.id", nullable=True, on_delete="SET NULL")
    active: bool = Field(default=True)
    created_at: datetime = moment()
    updated_at: datetime = moment()

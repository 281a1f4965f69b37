"""Kinds of values that many requests and answers of `/api/v1` share."""

from collections.abc import Callable
from datetime import UTC, datetime
from types import UnionType
from typing import Annotated, Any, Final, Generic, TypeVar, Union, get_args, get_origin

from fastapi import Path, Query
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from app.domain.text import LONGEST
from app.services.field_readers import cleaned
from app.services.paging import MAX_PAGE_SIZE, Page

Item = TypeVar("Item")
View = TypeVar("View")

MAX_ROW_ID: Final = 2**63 - 1
_LAST_PAGE: Final = 1_000_000


def _id_or_uuid(given: Any) -> Any:
    if isinstance(given, bool) or not isinstance(given, int | str):
        raise ValueError("Send the integer id or the UUID.")  # noqa: TRY004  # pydantic answers ValueErrors
    return given


def _in_utc(at: datetime) -> datetime:
    return at.astimezone(UTC)


Ref = Annotated[str, Path(description="The integer id or the UUID.", max_length=64)]
RefField = Annotated[
    Any,
    AfterValidator(_id_or_uuid),
    WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "string", "format": "uuid"}]}),
]
"""An id in a body: the integer or the UUID."""
RowId = Annotated[int, Path(ge=1, le=MAX_ROW_ID)]
RowIds = list[Annotated[int, Field(ge=1, le=MAX_ROW_ID)]]
Moment = Annotated[datetime, AfterValidator(_in_utc)]
"""A time in an answer: ISO 8601 in UTC."""

PageNumber = Annotated[int, Query(ge=1, le=_LAST_PAGE, description="From 1.")]
PageSize = Annotated[int, Query(ge=1, le=MAX_PAGE_SIZE)]
Search = Annotated[str, Query(max_length=200), AfterValidator(cleaned)]


_ENDS: Final = frozenset({"maxLength", "enum", "const", "format"})
"""What says how long a text can be."""


def at_most(characters: int) -> WithJsonSchema:
    """Return the annotation of a text that its service takes so long: it refuses a longer one in its own words."""
    return WithJsonSchema({"type": "string", "maxLength": characters})


def bounded(schema: JsonSchemaValue) -> JsonSchemaValue:
    """Return a JSON schema in which every text has an end: that of all texts, if it has none of its own."""
    found = {name: _bounded_part(name, part) for name, part in schema.items()}
    if found.get("type") == "string" and _ENDS.isdisjoint(found):
        found["maxLength"] = LONGEST
    return found


def _bounded_part(name: str, part: Any) -> Any:
    match name, part:
        case "properties", dict():
            return {each: bounded(schema) for each, schema in part.items()}
        case (("items" | "additionalProperties"), dict()):
            return bounded(part)
        case (("anyOf" | "oneOf" | "allOf"), list()):
            return [bounded(each) for each in part]
        case _:
            return part


class Sent(BaseModel):
    """What a request sends: a number is no text and no truth value, and a truth value is true or false."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Return the schema with the end that all texts of a request have."""
        described = handler(core_schema)
        whole = handler.resolve_ref_schema(described)
        whole.update(bounded(whole))
        return described

    @field_validator("*", mode="before")
    @classmethod
    def _is_of_its_kind(cls, value: Any, info: ValidationInfo) -> Any:
        kinds = _kinds_of(cls.model_fields[info.field_name or ""].annotation)
        if bool in kinds and value is not None and not isinstance(value, bool):
            raise ValueError("Send true or false.")
        if kinds & {int, float} and not kinds & {bool, str} and isinstance(value, bool | str):
            raise ValueError("Send a number.")
        return value


def _kinds_of(annotation: Any) -> frozenset[Any]:
    """Return the plain types that an annotation allows, those within a list or a mapping left out."""
    if get_origin(annotation) is Annotated:
        return _kinds_of(get_args(annotation)[0])
    if get_origin(annotation) in {Union, UnionType}:
        return frozenset().union(*map(_kinds_of, get_args(annotation)))
    return frozenset({annotation})


class Body(Sent):
    """A request's body: fields that are not listed are refused."""

    model_config = ConfigDict(extra="forbid")

    def sent(self) -> dict[str, Any]:
        """Return the fields that were sent, and no defaults."""
        return self.model_dump(exclude_unset=True)


class Listing(BaseModel, Generic[Item]):
    """One page of a list."""

    items: list[Item]
    total: int = Field(description="How many there are in all.")
    page: int
    page_size: int
    pages: int


def listing(page: Page[View], shown: Callable[[View], Item]) -> Listing[Item]:
    """Return a page of views as it is answered."""
    return Listing(
        items=[shown(view) for view in page.items],
        total=page.total,
        page=page.page,
        page_size=page.page_size,
        pages=page.pages,
    )

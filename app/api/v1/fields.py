"""Types of values that many requests and answers of `/api/v1` share."""

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


Ref = Annotated[str, Path(description="The integer id or the UUID.", max_length=64)]
RefField = Annotated[
    Any,
    AfterValidator(_id_or_uuid),
    WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "string", "format": "uuid"}]}),
]
"""An id in a body: the integer or the UUID."""
RowId = Annotated[int, Path(ge=1, le=MAX_ROW_ID)]
RowIds = list[Annotated[int, Field(ge=1, le=MAX_ROW_ID)]]
Moment = Annotated[datetime, AfterValidator(lambda at: at.astimezone(UTC))]
"""A time in an answer: ISO 8601 in UTC."""

RunNumber = Annotated[
    int | None,
    Query(
        ge=1,
        le=2**31 - 1,
        description="The run's number. Default: the newest that has started, else the newest.",
    ),
]
PageNumber = Annotated[int, Query(ge=1, le=_LAST_PAGE, description="From 1.")]
PageSize = Annotated[int, Query(ge=1, le=MAX_PAGE_SIZE)]
Search = Annotated[str, Query(max_length=200), AfterValidator(cleaned)]

_LENGTH_LIMITS: Final = frozenset({"maxLength", "enum", "const", "format"})
"""Keywords of a schema that limit the length of a text."""


def at_most(characters: int) -> WithJsonSchema:
    """Return the annotation of a text with this limit. It only documents it: the service refuses longer texts."""
    return WithJsonSchema({"type": "string", "maxLength": characters})


def bounded(schema: JsonSchemaValue) -> JsonSchemaValue:
    """Return the JSON schema with a `maxLength` for every text: the general limit, if it has none of its own."""
    found = {name: _bounded_part(name, part) for name, part in schema.items()}
    if found.get("type") == "string" and _LENGTH_LIMITS.isdisjoint(found):
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
    """Base of what requests send. Numbers and booleans must have their JSON type: no conversion from texts."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Return the schema with the general limit for texts."""
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
    """Return the plain types that an annotation allows, without those in lists or mappings."""
    if get_origin(annotation) is Annotated:
        return _kinds_of(get_args(annotation)[0])
    if get_origin(annotation) in {Union, UnionType}:
        return frozenset().union(*map(_kinds_of, get_args(annotation)))
    return frozenset({annotation})


class Body(Sent):
    """Base of request bodies. Unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")

    def sent(self) -> dict[str, Any]:
        """Return only the fields that were sent, without defaults."""
        return self.model_dump(exclude_unset=True, by_alias=True)


class Listing(BaseModel, Generic[Item]):
    """One page of a list."""

    items: list[Item]
    total: int = Field(description="How many there are in total.")
    page: int
    page_size: int
    pages: int


def listing(page: Page[View], shown: Callable[[View], Item]) -> Listing[Item]:
    """Return the API's answer for a page of a list."""
    return Listing(
        items=[shown(view) for view in page.items],
        total=page.total,
        page=page.page,
        page_size=page.page_size,
        pages=page.pages,
    )

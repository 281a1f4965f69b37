"""Text at every border of the API: what cannot be stored, or is too long, is refused by the name of its field."""

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any, Final

import httpx
import pytest

from tests.api.conftest import ApiWorld, fields_of, problem_of
from tests.api.test_bodies import SCHEMA
from tests.api.test_rights import OWNER, TABLE, filled, things

Path = tuple[str | int, ...]

KEPT: Final = "Zoë 👩‍👩‍👧 e\u0301\tone\r\ntwo שלום\u200f"
"""Emoji, combining characters, tabs, lines, and the marks of honest texts in two directions."""
UNSTORABLE: Final = {"a NUL": "a\0b", "half a character": "a\ud800b", "the other half": "\udfff"}
ODD: Final = {
    "no character": "a\uffffb",
    "turning": "a\u202eb\u2066c",
    "controls": "\x01\x1b\x7f",
    "kept": KEPT,
    "blank": " \n ",
    "empty": "",
}
TOO_LONG: Final = "x" * 900_000
"""Within what a body may carry."""

_ROWS: Final = {
    "/campaigns/{campaign_id}/import-data",
    "/imports",
    "/suppressions/import-data",
}
"""What they take are files in all but name: their rows are read, and told of, one by one."""


def _texts(schema: Mapping[str, Any], path: Path = (), seen: frozenset[str] = frozenset()) -> Iterator[Path]:
    """Yield where a body may have a text by its documentation; `*` is any name."""
    if "$ref" in schema:
        if schema["$ref"] in seen:
            return
        seen |= {schema["$ref"]}
        schema = SCHEMA["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
    for part in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
        yield from _texts(part, path, seen)
    if schema.get("type") == "string":
        yield path
    for name, part in schema.get("properties", {}).items():
        yield from _texts(part, (*path, name), seen)
    if "items" in schema:
        yield from _texts(schema["items"] or {"type": "string"}, (*path, 0), seen)
    rest = schema.get("additionalProperties", schema.get("type") == "object" and "properties" not in schema)
    if rest:
        yield from _texts(rest if isinstance(rest, dict) else {"type": "string"}, (*path, "*"), seen)


def _schema_of(route: tuple[str, str]) -> Mapping[str, Any]:
    method, path = route
    body = SCHEMA["paths"][f"/v1{path}"][method].get("requestBody", {}).get("content", {})
    found: Mapping[str, Any] = body.get("application/json", {}).get("schema", {})
    return found


def _texts_of(route: tuple[str, str]) -> list[Path]:
    return sorted(set(_texts(_schema_of(route))), key=str)


def _with(body: Any, path: Path, text: str, *, as_name: bool = False) -> Any:
    """Return the body with the text at the path; or, where any name may stand, as that name."""
    if not path:
        return text
    first, *rest = path
    if isinstance(first, int):
        return [
            _with(body[0] if isinstance(body, list) and body else None, tuple(rest), text, as_name=as_name)
        ]
    name = first if first != "*" else (text if as_name and not rest else "anything")
    inner = _with(
        (body if isinstance(body, dict) else {}).get(name),
        tuple(rest),
        "value" if as_name and name == text else text,
        as_name=as_name,
    )
    return {**(body if isinstance(body, dict) else {}), name: inner}


BODIES: Final = sorted(route for route in TABLE if _texts_of(route))
CHECKED_AT_THE_DOOR: Final = [route for route in BODIES if route[1] not in _ROWS]


def _named(path: Path, text: str, *, as_name: bool = False) -> str:
    parts = [str(part) for part in path if part != "*"]
    if path[-1] == "*":
        parts = [*map(str, path[:-1]), text if as_name else "anything"]
    return ".".join("anything" if part == "*" else part for part in parts).encode("utf-8", "replace").decode()


async def _send(
    world: ApiWorld, route: tuple[str, str], named: Mapping[str, Any], body: Any
) -> httpx.Response:
    method, path = route
    return await world.call(
        method.upper(),
        path.format(**named),
        role=None,
        key=world.keys[OWNER],
        content=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )


def _each(route: tuple[str, str], texts: Mapping[str, str]) -> Iterator[tuple[Path, bool, str]]:
    """Yield each text at each place: as the value there, and as the name where any name may stand."""
    for path in _texts_of(route):
        for text in texts.values():
            yield path, False, text
            if path and path[-1] == "*":
                yield path, True, text


def _base(route: tuple[str, str], named: Mapping[str, Any]) -> Any:
    return deepcopy(filled(TABLE[route].body, named))


def test_the_walk_knows_the_texts() -> None:
    assert len(BODIES) > 30
    assert ("contacts", 0, "*") in _texts_of(("post", "/contacts/upsert"))
    assert ("execution_settings", "allowed_hours", "start") in _texts_of(("post", "/campaigns"))
    assert ("tags", 0) in _texts_of(("patch", "/contacts/{contact_id}"))


@pytest.mark.parametrize("route", CHECKED_AT_THE_DOOR, ids=" ".join)
async def test_what_cannot_be_stored_is_refused_by_the_name_of_its_field(
    world: ApiWorld, route: tuple[str, str]
) -> None:
    named = await things(world, route)
    for path, as_name, text in _each(route, UNSTORABLE):
        body = _with(_base(route, named), path, text, as_name=as_name)
        answer = await _send(world, route, named, body)
        assert answer.status_code == 422, f"{path}: {answer.text}"
        assert _named(path, text, as_name=as_name) in fields_of(answer), path
        assert "cannot be stored (U+" in answer.text, path


@pytest.mark.parametrize("route", CHECKED_AT_THE_DOOR, ids=" ".join)
async def test_what_is_too_long_is_refused_by_the_name_of_its_field(
    world: ApiWorld, route: tuple[str, str]
) -> None:
    named = await things(world, route)
    for path, as_name, _ in _each(route, {"": ""}):
        body = _with(_base(route, named), path, TOO_LONG, as_name=as_name)
        answer = await _send(world, route, named, body)
        assert answer.status_code == 422, f"{path}: {answer.text[:500]}"
        assert len(answer.content) < 10_000, path
        told = _named(path, "x" * 200, as_name=as_name)
        assert told in fields_of(answer), path


@pytest.mark.parametrize("route", BODIES, ids=" ".join)
async def test_no_text_at_all_is_an_error_of_ours(world: ApiWorld, route: tuple[str, str]) -> None:
    named = await things(world, route)
    for path, as_name, text in _each(route, ODD):
        body = _with(_base(route, named), path, text, as_name=as_name)
        answer = await _send(world, route, named, body)
        assert answer.status_code < 500, f"{path} {text!r}: {answer.text}"


@pytest.mark.parametrize("path", sorted(_ROWS))
@pytest.mark.parametrize("text", UNSTORABLE.values(), ids=list(UNSTORABLE))
async def test_rows_are_taken_without_what_cannot_be_stored(world: ApiWorld, path: str, text: str) -> None:
    route = ("post", path)
    named = await things(world, route)
    rows = [{"phone_number": "+12025550143", "name": text, text: text, "variables": {text: text}}]
    for body in (rows, {"contacts": rows}) if "suppressions" not in path else (rows,):
        answer = await _send(world, route, named, body)
        assert answer.status_code in {200, 201}, answer.text
    for other in _texts_of(route):
        answer = await _send(world, route, named, _with(_base(route, named), other, text))
        assert answer.status_code < 500, f"{other}: {answer.text}"


@pytest.mark.parametrize("route", BODIES, ids=" ".join)
async def test_a_documented_length_is_the_one_that_holds(world: ApiWorld, route: tuple[str, str]) -> None:
    named = await things(world, route)
    for field, longest in _lengths(_schema_of(route)):
        answer = await _send(world, route, named, (_base(route, named) or {}) | {field: "x" * (longest + 1)})
        assert answer.status_code == 422, f"{field}: {answer.text}"
        assert field in fields_of(answer)


@pytest.mark.parametrize("route", CHECKED_AT_THE_DOOR, ids=" ".join)
def test_every_text_has_a_documented_length(route: tuple[str, str]) -> None:
    assert [path for path, schema in _strings(_schema_of(route)) if not schema.keys() & _BOUNDS] == []


_BOUNDS: Final = {"maxLength", "enum", "const", "format"}


def _strings(schema: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    if "$ref" in schema:
        schema = SCHEMA["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
    for part in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
        yield from _strings(part, path)
    if schema.get("type") == "string":
        yield path, schema
    for name, part in schema.get("properties", {}).items():
        yield from _strings(part, f"{path}.{name}".lstrip("."))
    for part in (schema.get("items"), schema.get("additionalProperties")):
        if isinstance(part, dict):
            yield from _strings(part, f"{path}[]")


def _lengths(schema: Mapping[str, Any]) -> list[tuple[str, int]]:
    return [
        (path, found["maxLength"])
        for path, found in _strings(schema)
        if "maxLength" in found and "." not in path and "[" not in path and path
    ]


QUERIES: Final = sorted(
    (method, path)
    for method, path in TABLE
    if any(each["in"] == "query" for each in SCHEMA["paths"][f"/v1{path}"][method].get("parameters", ()))
)


@pytest.mark.parametrize("route", QUERIES, ids=" ".join)
async def test_a_query_with_what_cannot_be_stored_is_refused_by_name(
    world: ApiWorld, route: tuple[str, str]
) -> None:
    method, path = route
    named = await things(world, route)
    names = [
        each["name"] for each in SCHEMA["paths"][f"/v1{path}"][method]["parameters"] if each["in"] == "query"
    ]
    for name in names:
        for sent in ("a%00b", "%ED%A0%80", "%EF%BF%BF", "x" * 60_000, "%E2%80%AE", "%F0%9F%91%A9"):
            answer = await world.call(
                method.upper(), f"{path.format(**named)}?{name}={sent}", role=None, key=world.keys[OWNER]
            )
            assert answer.status_code < 500, f"{name}={sent[:20]}: {answer.text}"
            if sent == "a%00b":
                assert answer.status_code == 422, name
                assert name in fields_of(answer)


_NO_IDS: Final = (
    *("%ED%A0%80", "%EF%BF%BF", "9" * 5_000, "x" * 5_000, "%D9%A3", "%C2%B2", "-1", "1e3", "%F0%9F%91%A9"),
)


@pytest.mark.parametrize("route", sorted(route for route in TABLE if "{" in route[1]), ids=" ".join)
async def test_no_id_is_an_error_of_ours(world: ApiWorld, route: tuple[str, str]) -> None:
    method, path = route
    place = path[path.index("{") : path.index("}") + 1]
    body = {"json": TABLE[route].body} if TABLE[route].body else {}
    for sent in _NO_IDS:
        other = path.replace(place, sent, 1).format(recipient_id=1, audience_id=1)
        answer = await world.call(method.upper(), other, role=None, key=world.keys[OWNER], **body)
        assert 400 <= answer.status_code < 500, f"{sent[:20]}: {answer.text}"
        problem_of(answer)


@pytest.mark.parametrize("sent", [b"\xff", "é".encode(), b"a b", b"x" * 256, b""])
async def test_a_key_of_odd_bytes_is_refused_by_the_header_s_name(world: ApiWorld, sent: bytes) -> None:
    answer = await world.call("POST", "/agents", json={"name": "Max"}, headers={"Idempotency-Key": sent})
    assert answer.status_code == 422
    assert {each.lower() for each in fields_of(answer)} == {"idempotency-key"}


@pytest.mark.parametrize("key", [None, "k-1"])
@pytest.mark.parametrize(
    "body",
    [
        {"contacts": [{"phone_number": "\ud800"}]},
        {"contacts": [{"\0": 1}]},
        {"contacts": [{"a": {"\ud800": 1}}]},
    ],
)
async def test_an_odd_upsert_is_refused_with_a_key_and_without(
    world: ApiWorld, body: dict[str, Any], key: str | None
) -> None:
    headers = {"Idempotency-Key": key} if key else {}
    answer = await world.call(
        "POST",
        "/contacts/upsert",
        content=json.dumps(body).encode(),
        headers=headers | {"Content-Type": "application/json"},
    )
    assert answer.status_code == 422, answer.text
    [error] = problem_of(answer)["errors"]
    assert error["field"].startswith("contacts.0.")


async def test_texts_of_all_languages_are_kept(world: ApiWorld) -> None:
    made = await world.post(
        "/contacts", {"phone_number": "+12025550143", "notes": KEPT, "fields": {"söße": KEPT}}
    )
    assert made.status_code == 201, made.text
    card = (await world.get(f"/contacts/{made.json()['id']}")).json()
    assert card["notes"] == KEPT.strip()
    assert card["fields"] == {"söße": KEPT.strip()}


@pytest.mark.parametrize("charset", ["utf-8", "unicode_escape", "punycode", "idna", "utf-16", "nonsense"])
@pytest.mark.parametrize("path", sorted(_ROWS))
async def test_no_form_is_an_error_of_ours(world: ApiWorld, path: str, charset: str) -> None:
    named = await things(world, ("post", path))
    for field, file_name in (
        (b"mapping", b"a\\x00\\ud800.csv"),
        (b"re\x00ason", b"\x00\xff.csv"),
        (b"scope", b"x" * 5_000),
    ):
        body = b"\r\n".join(
            (
                b"--b", b'Content-Disposition: form-data; name="' + field + b'"', b"", b"a\\x00\\ud800\x00\xff",
                b"--b", b'Content-Disposition: form-data; name="file"; filename="' + file_name + b'"', b"",
                b"phone\n+12025550143\n", b"--b--", b"",
            )
        )  # fmt: skip
        answer = await world.call(
            "POST", path.format(**named), content=body,
            headers={"Content-Type": f"multipart/form-data; boundary=b; charset={charset}"},
        )  # fmt: skip
        assert answer.status_code in {200, 201, 400, 422}, answer.text


@pytest.mark.parametrize("path", sorted(_ROWS))
async def test_a_form_s_texts_are_refused_by_name(world: ApiWorld, path: str) -> None:
    named = await things(world, ("post", path))
    field = "reason" if "suppressions" in path else "mapping"
    answer = await world.call(
        "POST",
        path.format(**named),
        files={"file": ("people.csv", b"phone\n+12025550143\n")},
        data={field: "a\0b"},
    )
    assert answer.status_code == 422, answer.text
    assert fields_of(answer) == {field}

"""Which frames of a tab's socket reach Reflex."""

import json

import pytest

from app.web.frames import Fault, fault_of

HANDLERS = {"app.save", "app.load", "app.setvar"}
PLACE = {"pathname": "/sign-in/", "asPath": "/sign-in/?next=%2F", "query": {"next": "/"}}


def event(**fields: object) -> str:
    return "42/_event," + json.dumps(["event", {"name": "app.save", **fields}])


@pytest.mark.parametrize(
    "frame",
    [
        "3",
        "1",
        "41/_event,",
        "40/_event,",
        '40/_event,{"event": null, "state_schema": "abc"}',
        "40/_event," + json.dumps({"event": {"name": "app.load", "payload": {"hashes": ["a"]}}}),
        event(),
        event(payload={"form": {"name": "Ada \N{WAVING HAND SIGN}"}}, router_data=PLACE),
        event(payload={"value": "x" * 900_000}),
        '42/_event,["ping"]',
        '42/_event,["client_error",{"message":"x"}]',
    ],
)
def test_what_a_browser_sends_goes_through(frame: str) -> None:
    assert fault_of(frame, HANDLERS) is None


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "2",
        "4",
        "5",
        "6",
        "0{}",
        "x",
        "40",
        "40/other,{}",
        "40/_event,[]",
        "40/_event,{",
        '40/_event,{"event": 7}',
        "42",
        '42["event",{"name":"app.save"}]',
        "42/_event,",
        '42/_event,{"name":"app.save"}',
        '42/_event,["event"]',
        '42/_event,["event",null]',
        '42/_event,["event","app.save"]',
        '42/_event,["event",{}]',
        '42/_event,["event",{"name":null}]',
        '42/_event,["event",{"name":["app.save"]}]',
        '42/_event,["shutdown",{}]',
        '42/_event,["event",{"name":"app.save"}',
        "42/_event," + "[" * 100_000,
        '42/_event,["ping",1,2]',
        '42/_event,["client_error"]',
        '42/_event,["client_error","a","b"]',
        '42/_event,["client_error",{},{}]',
        event(payload={"value": json.loads("[" * 100 + "]" * 100)}),
        '42/_event,["event",{"name":"app.save","payload":' + "9" * 5_000 + "}]",
        "43/_event,1[]",
        '451-/_event,["event",{"_placeholder":true,"num":0}]',
        event(payload=None),
        event(payload=[]),
        event(payload="x"),
        event(router_data=None),
        event(router_data=[]),
        event(router_data={"query": "x"}),
        event(router_data={"pathname": 7}),
        event(router_data={"asPath": "//\u0000"}),
        event(router_data={"asPath": "https://elsewhere.example"}),
    ],
)
def test_what_no_browser_sends_closes_the_socket(frame: str) -> None:
    assert fault_of(frame, HANDLERS) is Fault.MALFORMED


def test_a_handler_that_is_not_there_may_be_one_of_an_older_page() -> None:
    assert fault_of('42/_event,["event",{"name":"app.gone"}]', HANDLERS) is Fault.UNKNOWN_HANDLER
    assert fault_of('42/_event,["event",{"name":"app.setvar"}]', HANDLERS) is Fault.UNKNOWN_HANDLER
    assert fault_of('40/_event,{"event":{"name":"app.gone"}}', HANDLERS) is Fault.UNKNOWN_HANDLER

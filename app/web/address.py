"""Keeping what a list is asked for in the address, so that a reload finds the same rows."""

import json

import reflex as rx
from reflex.event import EventSpec


def put_in_address(parameters: str) -> EventSpec:
    """Return the event that puts "?a=b", or nothing, into the page's address without loading it anew."""
    # A bare "?" would stay behind, so the path stands before the parameters.
    address = f"window.location.pathname + {json.dumps(parameters)}"
    return rx.call_script(f"window.history.replaceState(window.history.state, '', {address})")

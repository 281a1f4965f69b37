"""What Calls/{sid}/Events.json tells: the request that created the call, then every request made about it."""

import re
from datetime import UTC, datetime

from app.simulator.signature import Fields
from app.simulator.state import SimulatedCall
from app.simulator.webhooks import CustomerAnswer

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def snake_case(name: str) -> str:
    """Return `status_callback_event` for `StatusCallbackEvent`: Events.json writes parameters so."""
    return _WORD_START.sub("_", name).lower()


def note_exchange(
    call: SimulatedCall, method: str, url: str, fields: Fields, answer: CustomerAnswer | None
) -> None:
    """Keep a request to the customer with its answer (None: there was none)."""
    call.exchanges.append(
        {
            "request": {"method": method, "url": url, "parameters": _parameters(fields)},
            "response": {
                "date_created": datetime.now(UTC).isoformat(),
                "response_code": answer.status if answer else None,
                "content_type": answer.content_type if answer else None,
                "response_body": answer.text if answer else None,
            },
        }
    )


def creation(call: SimulatedCall, url: str, status: int) -> dict[str, object]:
    """Return the first event: the POST that created the call."""
    return {
        "request": {"method": "POST", "url": url, "parameters": _parameters(call.parameters.multi_items())},
        "response": {"date_created": call.created_at.isoformat(), "response_code": status},
    }


def _parameters(fields: Fields) -> dict[str, str | list[str]]:
    grouped: dict[str, str | list[str]] = {}
    for key, value in fields:
        name = snake_case(key)
        before = grouped.get(name)
        if before is None:
            grouped[name] = value
        else:
            grouped[name] = [*(before if isinstance(before, list) else [before]), value]
    return grouped

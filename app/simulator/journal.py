"""The content of Calls/{sid}/Events.json: the request that created the call, then every webhook about it."""

import re
from datetime import UTC, datetime

from app.simulator.signature import Fields
from app.simulator.state import SimulatedCall
from app.simulator.webhooks import CustomerAnswer

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def note_exchange(
    call: SimulatedCall, method: str, url: str, fields: Fields, answer: CustomerAnswer | None
) -> None:
    """Record a request to the customer and its answer (None if there was no answer)."""
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
    """Return the fields by name in snake case, as Events.json writes them; a repeated field becomes a list."""
    grouped: dict[str, str | list[str]] = {}
    for key, value in fields:
        name = _WORD_START.sub("_", key).lower()
        before = grouped.get(name)
        if before is None:
            grouped[name] = value
        else:
            grouped[name] = [*(before if isinstance(before, list) else [before]), value]
    return grouped

"""The seams that pages reach for, on the test servers, with a carrier that nobody listens at."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from app.runtime.config import get_settings
from app.runtime.context import AppContext, get_context
from tests.services.campaign_world import SIMULATED

AUTH_TOKEN = "carrier-auth-token-that-no-browser-sees"
SECRET = "callsheet-secret-that-no-browser-sees"


@asynccontextmanager
async def page_seams(
    database_url: str,
    redis_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[AppContext]:
    """Let `get_context()` be one on these servers."""
    values = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "CALLSHEET_SECRET": SECRET,
        "TWILIO_ACCOUNT_SID": SIMULATED.account_sid,
        "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
        "TWILIO_API_URL": SIMULATED.api_url,
        "CALLSHEET_CARRIER_SIMULATED": "true",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    get_context.cache_clear()
    yield get_context()
    await get_context().close()
    get_context.cache_clear()
    get_settings.cache_clear()

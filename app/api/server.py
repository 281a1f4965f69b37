"""The process of the API alone: `callsheet web --api-only`, to scale separately from the browser UI."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.types import ASGIApp

from app.api.main import create_api
from app.api.middleware import with_middleware
from app.runtime.context import get_context
from app.runtime.fault_points import install_from_environment
from app.runtime.logs import configure
from app.services.live_hub import live_hub


def app() -> ASGIApp:
    """Return the application. The ASGI server calls this once in its worker process."""
    return with_middleware(running_api(), get_context().settings)


def running_api() -> FastAPI:
    """Return the API with logging, live hub and clean shutdown, but without the middleware."""
    configure()
    return create_api(lifespan=_running)


@asynccontextmanager
async def _running(_: FastAPI) -> AsyncIterator[None]:
    install_from_environment()
    # All loaded modules stay: exclude them from garbage collection, which would delay answers.
    gc.freeze()
    async with live_hub():
        try:
            yield
        finally:
            await get_context().close()

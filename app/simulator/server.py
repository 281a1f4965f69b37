"""The carrier as a web server: one process, one event loop, everything in memory."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

import uvloop
from granian.constants import Interfaces
from granian.server.embed import Server
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from app.simulator import wire
from app.simulator.carrier import SimulatedCarrier
from app.simulator.control import CONTROL_ERRORS, Control
from app.simulator.errors import RequestRefused
from app.simulator.rest import Authentication
from app.simulator.rest_account import AccountResource
from app.simulator.rest_calls import CallsResource
from app.simulator.rest_messages import MessagesResource
from app.simulator.settings import SimulatorSettings

_BACKLOG = 2048


def run(*, port: int, speed: float, seed: int, account_sid: str, auth_token: str) -> None:
    """Serve the carrier on 127.0.0.1 until SIGTERM or SIGINT."""
    settings = SimulatorSettings(
        port=port, speed=speed, seed=seed, account_sid=account_sid, auth_token=auth_token
    )
    uvloop.run(serve(settings))


async def serve(settings: SimulatorSettings, *, stop: asyncio.Event | None = None) -> None:
    """Serve until `stop` is set; without one, until SIGTERM or SIGINT."""
    server = Server(
        create_app(settings),
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        backlog=_BACKLOG,
        websockets=False,
        log_enabled=False,
    )
    stop = stop or _stopped_by_signal()
    serving = asyncio.create_task(server.serve())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    server.stop()  # type: ignore[no-untyped-call]  # granian leaves it unannotated
    await serving


def _stopped_by_signal() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


def create_app(settings: SimulatorSettings) -> Starlette:
    """Return a new carrier as an ASGI application; the carrier is `app.state.carrier`."""
    carrier = SimulatedCarrier(settings)
    account = AccountResource(carrier)
    resources = [*CallsResource(carrier).routes(), *MessagesResource(carrier).routes(), *account.routes()]
    guard = [Middleware(Authentication, settings=settings, faults=carrier.faults)]
    app = Starlette(
        routes=[
            Mount("/_simulator", routes=Control(carrier).routes()),
            Route(
                f"/{wire.API_VERSION}/Accounts/{{account_sid}}.json", account.fetch_account, middleware=guard
            ),
            Mount(f"/{wire.API_VERSION}/Accounts/{{account_sid}}", routes=resources, middleware=guard),
        ],
        exception_handlers={
            RequestRefused: _refuse,
            HTTPException: _refuse_address,
            **dict.fromkeys(CONTROL_ERRORS, lambda _, error: JSONResponse({"error": str(error)}, 400)),
        },
        lifespan=_lifespan,
    )
    app.state.carrier = carrier
    return app


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    yield
    await app.state.carrier.close()


def _refuse(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestRefused)
    return error.response()


def _refuse_address(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return RequestRefused(
        20004 if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED else 20404, request.url.path
    ).response()

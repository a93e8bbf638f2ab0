"""The Starlette application: API, control door, git and pages on one port."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from starlette.applications import Starlette
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from app.localhub import control, control_repositories, git_http, pages, registration
from app.localhub.actions import control as control_actions
from app.localhub.actions.identity import Issuer
from app.localhub.actions.machines import Machines
from app.localhub.endpoints import ENDPOINTS, OF_REPOSITORY
from app.localhub.exchange import endpoint_of, unknown_endpoint
from app.localhub.graphql import endpoint as graphql
from app.localhub.hub import Hub
from app.localhub.storm import Stormy

_ANY = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def build(hub: Hub, announce: Callable[[str], None]) -> ASGIApp:
    """The application; `announce` is called once, when it answers."""
    issuer = Issuer(hub.state)
    machines = Machines(hub, issuer)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        background = [asyncio.create_task(hub.webhooks.deliver()), asyncio.create_task(machines.run())]
        hub.wake()  # what a former life left unsent
        announce(json.dumps({"url": hub.state.url, "pid": os.getpid()}))
        yield
        for task in background:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        hub.state.close()

    api = [Route(row.path, endpoint_of(hub, row), methods=[row.method]) for row in ENDPOINTS]
    api += [
        Route(f"/repositories/{{repository_id}}{row.path.removeprefix(OF_REPOSITORY)}", endpoint_of(hub, row), methods=[row.method])
        for row in ENDPOINTS
        if row.path.startswith(OF_REPOSITORY)
    ]
    api.append(Route("/{path:path}", unknown_endpoint(hub), methods=_ANY))
    git = git_http.endpoint(hub)
    calm = Starlette(
        lifespan=lifespan,
        routes=[
            *control.routes(hub),
            *control_repositories.routes(hub),
            *control_actions.routes(hub, issuer),
            *issuer.routes(),
            Route("/api/graphql", graphql.endpoint(hub), methods=["POST"]),
            Mount("/api/v3", routes=api),
            *(Route(f"/{{owner}}/{{name}}/{service}", git, methods=[method]) for service, method in git_http.SERVICES.items()),
            *registration.routes(hub),
            *pages.routes(hub),
        ],
    )
    return Stormy(calm, hub.storm)

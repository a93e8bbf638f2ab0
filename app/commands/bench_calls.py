"""`shoal bench calls`: requests to GitHub per task of the rehearsal, counted by who got them and not by who sent them."""

import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

from app.commands.bench_rehearsal import ended_attempts
from app.commands.console import print_line, print_table
from app.demo.rehearsal import opened, watch
from app.demo.stage import call
from app.demo.world import RehearsalBackend, Ways
from app.github.transport import GRAPHQL, MUTATION
from app.github.usage import kind, route

_API = "/api/v3/"
_GRAPHQL = "/api/graphql"
# The rehearsal's own sweep is so frequent that nobody has to wait for it; here it is as an operator has it.
_SETTINGS = {"SHOAL_SWEEP_SECONDS": "300"}


class RouteFigures(TypedDict):
    """One kind of request."""

    who: str
    kind: str
    route: str
    requests: int
    per_task: float


class CallFigures(TypedDict):
    """`rest` and `graphql` are per task that ended with a pull request; git's own requests are in neither."""

    tasks: int
    ended_well: int
    rest: float
    graphql: float
    routes: list[RouteFigures]


def call_figures(backend: RehearsalBackend = "local", think_seconds: float = 2.0, slots: int = 4) -> CallFigures:
    """The eight issues of the rehearsal, from the first label to the last verdict."""
    with tempfile.TemporaryDirectory(prefix="shoal-bench-") as name:
        ways = Ways(slots, think_seconds, settings=_SETTINGS, backend=backend)
        with opened(Path(name), ways, lambda _line: None) as world:
            before = len(_requests(world.identity.hub_url))
            world.label_all()
            status = watch(world, lambda _: None, 600)
            seen = _requests(world.identity.hub_url)[before:]
            attempts = ended_attempts(world)
    tasks = sum(len(one.tasks) for one in status.orchestrations)
    return figures(seen, tasks, len({a.issue for a in attempts if a.landed}))


def figures(requests: Iterable[Mapping[str, Any]], tasks: int, ended_well: int) -> CallFigures:
    """Of a log of requests; what people did is left out."""
    api = [one for one in requests if one["path"].startswith((_API, _GRAPHQL))]
    found = Counter((who, *_named(one)) for one in api if (who := _who(one)))
    per = max(1, ended_well)
    routes = [
        RouteFigures(who=who, kind=what, route=name, requests=number, per_task=number / per)
        for (who, what, name), number in sorted(found.items(), key=lambda item: (-item[1], item[0]))
    ]
    graphql = sum(one["requests"] for one in routes if one["route"].startswith("POST /graphql"))
    rest = sum(one["requests"] for one in routes) - graphql
    return CallFigures(tasks=tasks, ended_well=ended_well, rest=rest / per, graphql=graphql / per, routes=routes)


def show(found: CallFigures) -> None:
    """As a table for people."""
    lines = [(one["who"], one["kind"], one["route"], str(one["requests"]), f"{one['per_task']:.2f}") for one in found["routes"]]
    title = f"Requests to GitHub, {found['tasks']} tasks, {found['ended_well']} with a pull request"
    print_table(title, ("who", "kind", "route", "requests", "per task that ended well"), lines)
    print_line(f"REST {found['rest']:.1f} and GraphQL {found['graphql']:.1f} per task that ended well")


def _requests(hub_url: str) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = call("GET", f"{hub_url}/_localhub/requests").json()["requests"]
    return found


def _who(request: Mapping[str, Any]) -> str:
    """App or runner, by the name that a program gives itself; nobody for the maintainer's own."""
    if request["actor"] is not None and not str(request["actor"]).endswith("[bot]"):
        return ""
    return "app" if request["agent"] == "shoal" else "runner"


def _named(request: Mapping[str, Any]) -> tuple[str, str]:
    if request["path"] == _GRAPHQL:
        path = MUTATION if request.get("operation") == "mutation" else GRAPHQL
    else:
        path = str(request["path"]).removeprefix(_API)
    return kind(request["method"], path), f"{request['method']} {route(path)}"

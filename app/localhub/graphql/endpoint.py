"""`POST /api/graphql`: one query answered as GitHub does it, with partial errors, its own budget and refusals inside a 200."""

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from app.localhub import api_apps
from app.localhub.auth import Actor, AppItself, identify
from app.localhub.calls import Call, Reply
from app.localhub.errors import Refused, bad_credentials
from app.localhub.exchange import agent_of, response_of, with_trouble
from app.localhub.graphql.language import Field, Fragment, SyntaxMistake, parse
from app.localhub.graphql.mutations import PAYLOADS
from app.localhub.graphql.schema import TYPES, Node, World
from app.localhub.hub import GraphqlLimit, Hub

Json = dict[str, Any]
# Fields of one name whose types differ from type to type.
_DIFFER = {"state", "status"}
_TYPES_OF_REFUSALS = {404: "NOT_FOUND", 403: "FORBIDDEN"}


_TYPES = {**TYPES, **PAYLOADS}


class _Undefined(Exception):
    """A field that the server does not have: GitHub answers nothing at all then."""

    def __init__(self, type_name: str, field: str, path: Sequence[str]) -> None:
        super().__init__(f"Field '{field}' doesn't exist on type '{type_name}'")
        self.error = {
            "path": ["mutation" if type_name == "Mutation" else "query", *path, field],
            "extensions": {"code": "undefinedField", "typeName": type_name, "fieldName": field},
            "locations": [{"line": 1, "column": 1}],
            "message": str(self),
        }


def endpoint(hub: Hub) -> Callable[[Request], Awaitable[Response]]:
    """The one endpoint there is."""

    async def answer(request: Request) -> Response:
        raw = await request.body()
        entry: Json = {"method": "POST", "path": request.url.path, "status": 0, "actor": None, "agent": agent_of(request)}

        async def work() -> Reply:
            return await run_in_threadpool(_handle, hub, request, raw, entry)

        reply = await with_trouble(hub, request, work)
        hub.wake()
        entry["status"] = reply.status
        hub.requests.append(entry)
        return response_of(hub, reply)

    return answer


def _handle(hub: Hub, request: Request, raw: bytes, entry: Json) -> Reply:
    with hub.state.lock:
        try:
            actor = identify(hub.state, request.headers.get("authorization"))
            if isinstance(actor, AppItself):
                raise bad_credentials()
            call = Call(hub, actor, {}, {}, {}, str(request.url))
            entry["actor"] = hub.state.accounts[call.by.account_id].login
            asked = json.loads(raw)
            operation, selections = parse(asked["query"], asked.get("variables") or {})
            entry["operation"] = operation
            return _charged(hub, call, actor, Node(operation.capitalize(), call), selections)
        except Refused as refused:
            return Reply(refused.status, refused.body, refused.headers)
        except (SyntaxMistake, ValueError, KeyError) as error:
            return Reply(200, {"errors": [{"message": str(error)}]})
        finally:
            hub.state.commit()


def _charged(hub: Hub, call: Call, actor: Actor, root: Node, selections: tuple[Field | Fragment, ...]) -> Reply:
    key, reset = api_apps.rate_key(call), api_apps.rate_reset(hub.state.now())
    cost = max(1, round(_connections(selections) / 100))
    if hub.graphql_window != reset:
        hub.graphql_window = reset
        hub.graphql_used.clear()
    used = hub.graphql_used[key] = hub.graphql_used.get(key, 0) + cost
    remaining = max(0, hub.graphql_points - used)
    hub.graphql_limit = GraphqlLimit(cost, hub.graphql_points, remaining, used, hub.state.stamp(reset))
    headers = {
        "x-ratelimit-limit": str(hub.graphql_points),
        "x-ratelimit-remaining": str(remaining),
        "x-ratelimit-used": str(used),
        "x-ratelimit-reset": str(reset),
        "x-ratelimit-resource": "graphql",
    }
    if used > hub.graphql_points:
        error = {"type": "RATE_LIMITED", "message": f"API rate limit exceeded for {key}."}
        return Reply(200, {"errors": [error]}, headers)
    try:
        errors: list[Json] = []
        _check_mutations(hub, root, selections)
        data = _object(World(hub, actor), root, selections, (), errors)
    except _Undefined as undefined:
        return Reply(200, {"errors": [undefined.error]}, headers)
    return Reply(200, {"data": data, **({"errors": errors} if errors else {})}, headers)


def _connections(selections: tuple[Field | Fragment, ...], times: int = 1) -> int:
    """GitHub's own way of counting: a connection is one request for each object that has it."""
    count = 0
    for one in selections:
        size = one.arguments.get("first") or one.arguments.get("last") if isinstance(one, Field) else None
        count += (times if size else 0) + _connections(one.selections, times * int(size) if size else times)
    return count


def _object(world: World, node: Node, selections: tuple[Field | Fragment, ...], path: tuple[str, ...], errors: list[Json]) -> Json:
    shown: Json = {}
    _check_same(selections)
    for one in selections:
        if isinstance(one, Fragment):
            if one.on == node.type:
                shown |= _object(world, node, one.selections, path, errors)
            continue
        shown[one.alias] = _field(world, node, one, (*path, one.alias), errors)
    return shown


def _check_same(selections: tuple[Field | Fragment, ...]) -> None:
    """A name in the answer has one type, whatever the object turns out to be: GitHub refuses the whole query else."""
    fragments = [one for one in selections if isinstance(one, Fragment)]
    names = [one.alias for fragment in fragments for one in fragment.selections if isinstance(one, Field) and one.name in _DIFFER]
    if twice := [name for name in names if names.count(name) > 1]:
        raise SyntaxMistake(f"Field '{twice[0]}' has an enum type on several types: use different aliases")


def _check_mutations(hub: Hub, root: Node, selections: tuple[Field | Fragment, ...]) -> None:
    """Before the first of them has an effect."""
    for one in selections:
        if root.type == "Mutation" and isinstance(one, Field) and not _has(hub, root.type, one.name):
            raise _Undefined(root.type, one.name, ())


def _has(hub: Hub, type_name: str, field: str) -> bool:
    return field in _TYPES[type_name] and f"{type_name}.{field}" not in hub.graphql_without


def _field(world: World, node: Node, wanted: Field, path: tuple[str, ...], errors: list[Json]) -> Any:
    if wanted.name == "__typename":
        return node.type
    if not _has(world.hub, node.type, wanted.name):
        raise _Undefined(node.type, wanted.name, path[:-1])
    try:
        value = _TYPES[node.type][wanted.name](world, node.row, wanted.arguments)
    except Refused as refused:
        kind = _TYPES_OF_REFUSALS.get(refused.status, "UNPROCESSABLE")
        what = f"Could not resolve {wanted.name} of {node.type}." if kind == "NOT_FOUND" else str(refused)
        errors.append({"type": kind, "path": list(path), "locations": [{"line": 1, "column": 1}], "message": what})
        return None
    if isinstance(value, Node):
        return _object(world, value, wanted.selections, path, errors)
    if isinstance(value, list):
        return [_object(world, one, wanted.selections, (*path, str(place)), errors) for place, one in enumerate(value)]
    return value

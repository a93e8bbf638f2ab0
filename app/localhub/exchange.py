"""One API exchange from header to answer: credential, fault, budget, permission, handler under the lock, log."""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import Any
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from app.localhub import api_apps, permissions
from app.localhub.auth import Actor, AppItself, identify, identify_code
from app.localhub.calls import Call, Reply
from app.localhub.endpoints import Endpoint
from app.localhub.errors import Refused, malformed, moved, not_found
from app.localhub.faults import Fault
from app.localhub.hub import Hub
from app.localhub.records import Repository

# GitHub's description does not name these with each endpoint.
_NOT_DESCRIBED = {301, 304, 307}


def endpoint_of(hub: Hub, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    """The table's row as something that Starlette can route to."""

    async def answer(request: Request) -> Response:
        raw = await request.body()
        entry: dict[str, Any] = {
            "method": request.method,
            "path": request.url.path,
            "status": 0,
            "actor": None,
            "agent": agent_of(request),
        }

        async def work() -> Reply:
            return await run_in_threadpool(_handle, hub, endpoint, request, raw, entry)

        reply = await with_trouble(hub, request, work)
        hub.wake()
        entry["status"] = reply.status
        hub.requests.append(entry)
        if reply.status not in _NOT_DESCRIBED and "repository_id" not in request.path_params:
            hub.record({**entry, "query": dict(request.query_params), "request": _text(raw), "response": reply.body})
        return response_of(hub, reply)

    return answer


async def with_trouble(hub: Hub, request: Request, work: Callable[[], Awaitable[Reply]]) -> Reply:
    """Does the work, unless a provoked fault comes first or takes the answer away."""
    fault = await fault_of(hub, request)
    if fault is None:
        return await work()
    if fault.after_effect:
        await work()
    return Reply(fault.status, fault.body(), fault.headers)


async def fault_of(hub: Hub, request: Request) -> Fault | None:
    """The fault that answers this request, if one is due; a mere delay is waited for here."""
    body = (await request.body()).decode("utf-8", "replace") if hub.faults.reads_bodies() else ""
    fault = hub.faults.take(request.method, request.url.path, body)
    if fault is None:
        return None
    await asyncio.sleep(fault.latency_seconds)
    return fault if fault.status else None


def unknown_endpoint(hub: Hub) -> Callable[[Request], Awaitable[Response]]:
    """Says loudly that the rehearsal ends here: a plain 404 would pass for an answer of GitHub's."""

    async def answer(request: Request) -> Response:
        message = f"localhub has no {request.method} {request.url.path}: add it to app/localhub/endpoints.py"
        entry = {"method": request.method, "path": request.url.path, "status": 501, "actor": None, "agent": agent_of(request)}
        hub.requests.append(entry)
        hub.record({**entry, "query": {}, "request": "", "response": {"message": message}})
        return response_of(hub, Reply(501, {"message": message}))

    return answer


def _handle(hub: Hub, endpoint: Endpoint, request: Request, raw: bytes, entry: dict[str, Any]) -> Reply:
    headers: dict[str, str] = {}
    with hub.state.lock:
        try:
            call = _admitted(hub, endpoint, request, raw, entry, headers)
            reply = _unless_known(call, endpoint, request, endpoint.handler(call), headers)
        except Refused as refused:
            reply = Reply(refused.status, refused.body, refused.headers)
        finally:
            hub.state.commit()
    return Reply(reply.status, reply.body, {**headers, **reply.headers})


def _admitted(hub: Hub, endpoint: Endpoint, request: Request, raw: bytes, entry: dict[str, Any], headers: dict[str, str]) -> Call:
    path = {name: unquote(value) if "%" in value else value for name, value in request.path_params.items()}
    url = str(request.url.replace(query=""))
    actor = _actor(hub, endpoint, request)
    call = Call(hub, actor, path, dict(request.query_params), {}, url)
    entry["actor"] = hub.state.accounts[call.by.account_id].login
    if endpoint.who == "app" and not isinstance(actor, AppItself):
        raise Refused(401, "A JSON web token could not be decoded")
    _charge(call, endpoint, headers)
    repository = None
    if endpoint.needs:
        repository = _repository(hub, path)
        permissions.require(actor, repository, endpoint.needs, endpoint.role)
        _redirect(hub, endpoint, request, repository)
    elif endpoint.who == "token" and isinstance(actor, AppItself):
        raise Refused(401, "Bad credentials")
    return Call(hub, actor, path, call.query, _json(raw), url, repository)


def _repository(hub: Hub, path: dict[str, str]) -> Repository:
    """By its id, or by a name that it has or had."""
    if "repository_id" not in path:
        return hub.state.repository(path["owner"], path["repo"])
    number = path["repository_id"]
    found = hub.state.repositories.get(int(number)) if number.isdecimal() else None
    if found is None:
        raise not_found()
    return found


def _redirect(hub: Hub, endpoint: Endpoint, request: Request, where: Repository) -> None:
    asked = request.path_params
    if "repo" in asked and where.full_name.lower() != f"{asked['owner']}/{asked['repo']}".lower():
        rest = request.url.path.partition(f"/{asked['repo']}")[2]
        raise moved(endpoint.method, f"{hub.state.api_url}/repositories/{where.id}{rest}")


def _unless_known(call: Call, endpoint: Endpoint, request: Request, reply: Reply, headers: dict[str, str]) -> Reply:
    """304 for whoever shows the entity tag of this very answer, which is worth something to one token only and costs nothing."""
    if endpoint.method != "GET" or reply.status != 200:
        return reply
    seen = f"{request.headers.get('authorization')}{json.dumps(reply.body, sort_keys=True)}"
    headers["ETag"] = tag = f'W/"{hashlib.sha256(seen.encode()).hexdigest()}"'
    if request.headers.get("if-none-match") != tag:
        return reply
    key = api_apps.rate_key(call)
    call.hub.used[key] = max(0, call.hub.used.get(key, 0) - 1)
    return Reply(304, None, reply.headers)


def _actor(hub: Hub, endpoint: Endpoint, request: Request) -> Actor:
    if endpoint.who == "code":
        return identify_code(hub.state, request.path_params["code"])
    return identify(hub.state, request.headers.get("authorization"))


def _charge(call: Call, endpoint: Endpoint, headers: dict[str, str]) -> None:
    """The primary limit: counted per installation or person and hour."""
    hub, key, reset = call.hub, api_apps.rate_key(call), api_apps.rate_reset(call.state.now())
    if hub.rate_window != reset:
        hub.rate_window = reset
        hub.used.clear()
    is_free = endpoint.path == "/rate_limit"
    used = hub.used[key] = hub.used.get(key, 0) + (not is_free)
    shown = {"limit": hub.rate_limit, "remaining": max(hub.rate_limit - used, 0), "used": min(used, hub.rate_limit), "reset": reset}
    headers.update({f"x-ratelimit-{name}": str(value) for name, value in shown.items()})
    headers["x-ratelimit-resource"] = "core"
    if used > hub.rate_limit and not is_free:
        raise Refused(403, f"API rate limit exceeded for {key}.")


def _json(raw: bytes) -> dict[str, Any]:
    if not raw:
        return {}
    try:
        body = json.loads(raw)
    except ValueError as error:
        raise Refused(400, "Problems parsing JSON") from error
    if isinstance(body, list):  # the short form of adding labels
        return {"labels": body}
    if not isinstance(body, dict):
        raise malformed("Body should be a JSON object")
    return body


def agent_of(request: Request) -> str:
    return request.headers.get("user-agent", "")


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def response_of(hub: Hub, reply: Reply) -> Response:
    date = formatdate(hub.state.now(), usegmt=True)  # by this server's clock, which a test may have moved
    if reply.status in {204, 304}:
        return Response(status_code=reply.status, headers={"Date": date, **reply.headers})
    headers = {"Date": date, "X-GitHub-Media-Type": "github.v3; format=json", **reply.headers}
    body = json.dumps(reply.body, ensure_ascii=False).encode()
    return Response(body, reply.status, headers, media_type="application/json; charset=utf-8")

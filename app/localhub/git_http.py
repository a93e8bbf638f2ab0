"""Git over HTTP by `git http-backend`: request bodies are spooled to a file first, because streaming both ways loses pushes."""

import asyncio
import os
import subprocess
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import IO

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from app.localhub import pull_requests
from app.localhub.auth import AppItself, InstallationActor, Person, identify
from app.localhub.errors import Refused
from app.localhub.exchange import fault_of
from app.localhub.hub import By, Hub
from app.localhub.permissions import may_use_git, sees
from app.localhub.records import Level, Repository

_CHUNK = 256 * 1024
SERVICES = {"info/refs": "GET", "git-upload-pack": "POST", "git-receive-pack": "POST"}


def endpoint(hub: Hub) -> Callable[[Request], Awaitable[Response]]:
    """Serves one repository's fetches and pushes."""
    pushing: dict[int, asyncio.Lock] = {}

    async def answer(request: Request) -> Response:
        with hub.state.lock:
            try:
                actor, repository = _admitted(hub, request)
            except Refused as refused:
                return _refusal(hub, request, refused)
        fault = await fault_of(hub, request)
        if fault is not None and not fault.after_effect:
            return PlainTextResponse(fault.message, fault.status, fault.headers)
        if actor is None or _service(request) != "git-receive-pack":
            response = await _run_backend(hub, repository, request)
        else:
            # One push at a time and repository, so that every moved branch has its right pusher.
            async with pushing.setdefault(repository.id, asyncio.Lock()):
                response = await _run_backend(hub, repository, request)
                await run_in_threadpool(_follow, hub, repository, actor)
            hub.webhooks.wake.set()
        _log(hub, request, response.status_code, actor)
        return response if fault is None else PlainTextResponse(fault.message, fault.status, fault.headers)

    return answer


def _admitted(hub: Hub, request: Request) -> tuple[Person | InstallationActor | None, Repository]:
    """Who and where, or a refusal; anybody may fetch what is public."""
    service = request.query_params.get("service", _service(request))
    level: Level = "write" if service == "git-receive-pack" else "read"
    repository = hub.state.repository(request.path_params["owner"], request.path_params["name"])
    authorization = request.headers.get("authorization")
    if authorization is None:
        if level == "read" and not repository.private:
            return None, repository
        raise Refused(401, "Authentication required", headers={"WWW-Authenticate": 'Basic realm="GitHub"'})
    actor = identify(hub.state, authorization)
    if isinstance(actor, AppItself):
        raise Refused(401, "Bad credentials")
    if not may_use_git(actor, repository, level):
        raise (
            Refused(403, "Write access to repository not granted.")
            if sees(actor, repository)
            else Refused(404, "Repository not found.")
        )
    return actor, repository


def _service(request: Request) -> str:
    return "/".join(request.url.path.split("/")[3:])


def _refusal(hub: Hub, request: Request, refused: Refused) -> Response:
    _log(hub, request, refused.status, None)
    headers = {"WWW-Authenticate": 'Basic realm="GitHub"'} if refused.status == 401 else refused.headers
    return PlainTextResponse(f"{refused}\n", refused.status, headers)


def _log(hub: Hub, request: Request, status: int, actor: Person | InstallationActor | None) -> None:
    hub.requests.append(
        {"method": request.method, "path": request.url.path, "status": status, "actor": actor.account.login if actor else None}
    )


def _follow(hub: Hub, repository: Repository, actor: Person | InstallationActor) -> None:
    by = By(actor.account.id, actor.app.id if isinstance(actor, InstallationActor) else None)
    with hub.state.lock:
        pull_requests.follow_refs(hub, repository, by)
        hub.state.commit()


async def _run_backend(hub: Hub, repository: Repository, request: Request) -> Response:
    """One CGI exchange, body and answer both in files, so that neither side can wait for the other."""
    with tempfile.TemporaryFile() as body:
        async for chunk in request.stream():
            body.write(chunk)
        size = body.tell()
        body.seek(0)
        answer = tempfile.TemporaryFile()  # noqa: SIM115 (closed when it has been sent)
        await run_in_threadpool(_cgi, _environment(hub, repository, request, size), body, answer)
    answer.seek(0)
    status, headers = 200, {}
    while (line := answer.readline().rstrip(b"\r\n")) != b"":
        name, _, value = line.decode("latin-1").partition(": ")
        if name.lower() == "status":
            status = int(value.split()[0])
        else:
            headers[name] = value
    return StreamingResponse(_chunks(answer), status, headers)


def _cgi(environment: dict[str, str], body: IO[bytes], answer: IO[bytes]) -> None:
    subprocess.run(["git", "http-backend"], env=environment, stdin=body, stdout=answer, stderr=subprocess.DEVNULL, check=False)


def _environment(hub: Hub, repository: Repository, request: Request, size: int) -> dict[str, str]:
    root = hub.state.folder.resolve() / "repositories"
    return {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_PROJECT_ROOT": str(root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_PROTOCOL": request.headers.get("git-protocol", ""),
        "REQUEST_METHOD": request.method,
        "PATH_INFO": f"/{repository.full_name}.git/{_service(request)}",
        "QUERY_STRING": request.url.query,
        "CONTENT_TYPE": request.headers.get("content-type", ""),
        "CONTENT_LENGTH": str(size),
        "HTTP_CONTENT_ENCODING": request.headers.get("content-encoding", ""),
        "REMOTE_USER": "localhub",
        "REMOTE_ADDR": "127.0.0.1",
    }


async def _chunks(answer: IO[bytes]) -> AsyncIterator[bytes]:
    with answer:
        while chunk := answer.read(_CHUNK):
            yield chunk

"""How a runner in GitHub Actions gets its launch line: it proves by OIDC which run it is, then starts anew without the proof."""

import os
import re
import secrets
import sys
import time
from collections.abc import Mapping, MutableMapping
from typing import NoReturn
from urllib.parse import quote, urlsplit

import httpx
import structlog
from pydantic import BaseModel, ValidationError

from runner.endings import Fenced
from shared.errors import FatalError, TransientError
from shared.job import INPUT, default_work_dir
from shared.messages import IdentityReply, IdentityRequest, RunnerLaunch
from shared.retry import on_transient

_REQUEST_URL, _REQUEST_TOKEN = "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
_CREDENTIALS = re.compile(rf"{INPUT}.*|ACTIONS_.*|GITHUB_TOKEN|GH_TOKEN")
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
# The app may be starting itself, or be updated; longer than that and the job had better end than hold a runner.
_PATIENCE_SECONDS = 600.0
_log = structlog.get_logger()


class _Proof(BaseModel):
    """GitHub's answer; it says more, and only this counts."""

    value: str


def start_anew(environ: MutableMapping[str, str]) -> NoReturn:
    """Replaces this process by a runner whose environment, which other processes can read, never held a credential of the job."""
    launch = _launch(_take(environ))
    reading, writing = os.pipe()
    os.write(writing, launch.model_dump_json().encode() + b"\n")  # a pipe holds 64 KiB before anybody reads
    os.close(writing)
    os.dup2(reading, 0)
    os.execve(sys.executable, [sys.executable, "-I", "-m", "runner"], dict(environ))  # noqa: S606 our own program, no shell


def _take(environ: MutableMapping[str, str]) -> dict[str, str]:
    """What only this start may know, out of the environment."""
    return {name: environ.pop(name) for name in list(environ) if _CREDENTIALS.fullmatch(name)}


def _launch(job: Mapping[str, str]) -> RunnerLaunch:
    app_url, attempt = job.get(f"{INPUT}APP_URL", "").rstrip("/"), job.get(f"{INPUT}ATTEMPT", "")
    address = urlsplit(app_url)
    if address.scheme != "https" and not (address.scheme == "http" and address.hostname in _LOOPBACK):
        raise FatalError("input `app-url` must be the https address of the Shoal App: set it in the workflow file")
    if not attempt:
        raise FatalError("input `attempt` is missing: pass the dispatch's input on to the action")
    nonce = secrets.token_hex(16)
    secret = _secret(f"{app_url}/runner/v1/attempts/{quote(attempt, safe='')}/identity", nonce, app_url, job)
    work_dir = job.get(f"{INPUT}WORK_DIR") or str(default_work_dir(os.environ))
    keys = job.get(f"{INPUT}MODEL_KEYS", "")
    return RunnerLaunch(app_url=app_url, attempt_id=attempt, secret=secret, work_dir=work_dir, model_keys=keys, nonce=nonce)


def _secret(url: str, nonce: str, audience: str, job: Mapping[str, str]) -> str:
    """A lost reply is asked for again with a fresh proof, for each is accepted once."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    pause = 0.2
    with httpx.Client(timeout=httpx.Timeout(30, connect=10), trust_env=urlsplit(url).hostname not in _LOOPBACK) as http:
        while True:
            request = IdentityRequest(nonce=nonce, id_token=_proof(audience, job))
            try:
                return _ask(http, url, request)
            except TransientError as error:
                if time.monotonic() + pause > deadline:
                    raise FatalError(f"{error}; given up after {_PATIENCE_SECONDS:.0f} s: look at the app's own log") from None
                _log.info("app does not answer, trying again", error=str(error), wait=pause)
            time.sleep(pause)
            pause = min(pause * 2, 15.0)


def _ask(http: httpx.Client, url: str, request: IdentityRequest) -> str:
    try:
        answer = http.post(url, content=request.model_dump_json(), headers={"Content-Type": "application/json"})
    except httpx.RequestError as error:
        raise TransientError(f"the app at {url} does not answer: {error!r}") from None
    if answer.status_code == httpx.codes.CONFLICT:
        raise Fenced
    if answer.status_code == httpx.codes.TOO_MANY_REQUESTS or answer.is_server_error:
        raise TransientError(f"the app at {url} answers {answer.status_code}")
    if not answer.is_success:
        raise FatalError(f"the app did not accept this run's identity: {answer.status_code} {answer.text[:300]}")
    try:
        return IdentityReply.model_validate_json(answer.content).secret
    except ValidationError:
        raise FatalError(f"what answers at {url} is no Shoal App of this version: check input `app-url`") from None


def _proof(audience: str, job: Mapping[str, str]) -> str:
    """A token of GitHub's that says which run of which workflow this is, for this app alone."""
    url, token = job.get(_REQUEST_URL), job.get(_REQUEST_TOKEN)
    if not url or not token:
        raise FatalError("this job may not prove its identity: give it `permissions: id-token: write` in the workflow file")
    for attempt in on_transient():
        with attempt:
            return _proof_once(url, token, audience)
    raise AssertionError("unreachable: the last failure is raised")


def _proof_once(url: str, token: str, audience: str) -> str:
    address = httpx.URL(url).copy_merge_params({"audience": audience})
    try:
        headers = {"Authorization": f"bearer {token}", "Accept": "application/json"}
        answer = httpx.get(address, headers=headers, timeout=30, trust_env=address.host not in _LOOPBACK)
    except httpx.RequestError as error:
        raise TransientError(f"GitHub's identity service does not answer: {error!r}") from None
    if answer.status_code == httpx.codes.TOO_MANY_REQUESTS or answer.is_server_error:
        raise TransientError(f"GitHub's identity service answers {answer.status_code}")
    if not answer.is_success:
        raise FatalError(f"GitHub refused to say who this run is: {answer.status_code} {answer.text[:200]}")
    return _Proof.model_validate_json(answer.content).value

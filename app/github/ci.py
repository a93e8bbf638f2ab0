"""What the repository's own CI says of a commit: everybody's checks and statuses but ours, and the end of what red ones printed."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from app.events import CiFailure
from app.github.calls import Calls
from app.github.errors import Forbidden, NotFound
from shared.errors import TransientError
from shared.log import redact

Status = Literal["waiting", "green", "red", "none"]
_RED = {"FAILURE", "TIMED_OUT", "STARTUP_FAILURE", "CANCELLED", "ERROR"}
_PENDING = {"PENDING", "EXPECTED"}
_TAIL = 4_000
_LOGS_READ = 3
# Actions puts the time before every line, and colours into them.
_NOISE = re.compile(r"^\d{4}-\d\d-\d\dT[\d:.]+Z ?|\x1b\[[0-9;]*m", re.MULTILINE)


class CiNow(NamedTuple):
    """Green only when nothing is pending and nothing is red; `none`: nobody else has said anything."""

    status: Status
    failures: tuple[CiFailure, ...] = ()


async def read(calls: Calls, root: str, app_id: int, contexts: Sequence[Mapping[str, Any]]) -> CiNow:
    """Of the newest checks and statuses on a commit, as GraphQL shows them, everybody's but ours. `root` is `repos/OWNER/NAME`."""
    runs = [one for one in contexts if one.get("__typename") == "CheckRun" and _app(one).get("databaseId") != app_id]
    statuses = [one for one in contexts if one.get("__typename") == "StatusContext"]
    red = [run for run in runs if run.get("conclusion") in _RED]
    failures = [await _of_run(calls, root, run, with_log=place < _LOGS_READ) for place, run in enumerate(red)]
    failures += [_of_status(status) for status in statuses if status.get("state") in _RED]
    pending = any(run.get("status") != "COMPLETED" for run in runs) or any(s.get("state") in _PENDING for s in statuses)
    if not runs and not statuses:
        return CiNow("none")
    return CiNow("waiting" if pending else "red" if failures else "green", tuple(failures))


def _app(run: Mapping[str, Any]) -> Mapping[str, Any]:
    return (run.get("checkSuite") or {}).get("app") or {}


async def _of_run(calls: Calls, root: str, run: Mapping[str, Any], *, with_log: bool) -> CiFailure:
    said = "\n".join(filter(None, (run.get("title"), run.get("summary"), run.get("text"))))
    is_job = _app(run).get("slug") == "github-actions"
    log = await _log_of_job(calls, root, int(run["databaseId"])) if is_job and with_log else ""
    return CiFailure(name=str(run.get("name") or "a check"), url=str(run.get("url") or ""), tail=_tail(log or said))


async def _log_of_job(calls: Calls, root: str, job_id: int) -> str:
    """A job of Actions has the number of its check run; a log that cannot be had is no reason to say nothing."""
    try:
        return await calls.text(f"{root}/actions/jobs/{job_id}/logs")
    except (Forbidden, NotFound, TransientError):
        return ""


def _of_status(status: Mapping[str, Any]) -> CiFailure:
    return CiFailure(
        name=str(status.get("context") or "a status"),
        url=str(status.get("targetUrl") or ""),
        tail=_tail(str(status.get("description") or "")),
    )


def _tail(text: str) -> str:
    return redact(_NOISE.sub("", text).strip()[-_TAIL:])

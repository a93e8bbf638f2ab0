"""What the repository's own CI says of a commit: everybody's checks and statuses but ours, and the end of what red ones printed."""

import re
from typing import Any, Literal, NamedTuple

from app.events import CiFailure
from app.github.calls import Calls
from app.github.errors import Forbidden, NotFound
from shared.errors import TransientError
from shared.log import redact

Status = Literal["waiting", "green", "red", "none"]
_RED = {"failure", "timed_out", "startup_failure", "cancelled", "error"}
_TAIL = 4_000
_LOGS_READ = 3
# Actions puts the time before every line, and colours into them.
_NOISE = re.compile(r"^\d{4}-\d\d-\d\dT[\d:.]+Z ?|\x1b\[[0-9;]*m", re.MULTILINE)


class CiNow(NamedTuple):
    """Green only when nothing is pending and nothing is red; `none`: nobody else has said anything."""

    status: Status
    failures: tuple[CiFailure, ...] = ()


async def read(calls: Calls, root: str, app_id: int, head_sha: str) -> CiNow:
    """Of everybody else's newest checks and statuses on the commit. `root` is `repos/OWNER/NAME`."""
    pages = calls.pages(f"{root}/commits/{head_sha}/check-runs", {"filter": "latest"}, key="check_runs")
    runs = [run async for run in pages if (run.get("app") or {}).get("id") != app_id]
    statuses = (await calls.get(f"{root}/commits/{head_sha}/status")).get("statuses") or []
    red = [run for run in runs if run.get("conclusion") in _RED]
    failures = [await _of_run(calls, root, run, with_log=place < _LOGS_READ) for place, run in enumerate(red)]
    failures += [_of_status(status) for status in statuses if status.get("state") in _RED]
    pending = any(run.get("status") != "completed" for run in runs) or any(s.get("state") == "pending" for s in statuses)
    if not runs and not statuses:
        return CiNow("none")
    return CiNow("waiting" if pending else "red" if failures else "green", tuple(failures))


async def _of_run(calls: Calls, root: str, run: dict[str, Any], *, with_log: bool) -> CiFailure:
    output = run.get("output") or {}
    said = "\n".join(filter(None, (output.get("title"), output.get("summary"), output.get("text"))))
    is_job = (run.get("app") or {}).get("slug") == "github-actions"
    log = await _log_of_job(calls, root, int(run["id"])) if is_job and with_log else ""
    return CiFailure(name=str(run.get("name") or "a check"), url=str(run.get("html_url") or ""), tail=_tail(log or said))


async def _log_of_job(calls: Calls, root: str, job_id: int) -> str:
    """A job of Actions has the number of its check run; a log that cannot be had is no reason to say nothing."""
    try:
        return await calls.text(f"{root}/actions/jobs/{job_id}/logs")
    except (Forbidden, NotFound, TransientError):
        return ""


def _of_status(status: dict[str, Any]) -> CiFailure:
    return CiFailure(
        name=str(status.get("context") or "a status"),
        url=str(status.get("target_url") or ""),
        tail=_tail(str(status.get("description") or "")),
    )


def _tail(text: str) -> str:
    return redact(_NOISE.sub("", text).strip()[-_TAIL:])

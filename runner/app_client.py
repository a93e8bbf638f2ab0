"""The runner's one line to the app: every call idempotent by nonce, patient while the app is away, and fenced by 409."""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Literal

import httpx
import structlog
from pydantic import BaseModel

from runner.endings import Fenced, Interrupted
from shared.errors import FatalError
from shared.messages import (
    AttemptBrief,
    ClaimRequest,
    FetchReply,
    FetchRequest,
    FinishRequest,
    Heartbeat,
    HeartbeatReply,
    HeldReply,
    HeldRequest,
    HoldReply,
    HoldRequest,
    IssueCheck,
    PermitReply,
    PermitRequest,
    PhaseFinished,
    Piece,
    PieceReply,
    RunnerLaunch,
)
from shared.models import AttemptReport, PhaseName, PhaseResult

# Leases do not age while the app is down, so a runner outlives an hour of that with room to spare; then it gives up.
_PATIENCE_SECONDS = 2 * 3600.0
_log = structlog.get_logger()


class AppClient:
    """Speaks for one attempt; `stop` is set, with `stop_reason`, when the app wants it to end; `hide` is told every secret."""

    def __init__(self, launch: RunnerLaunch, nonce: str, stop: threading.Event, hide: Callable[[str], None]) -> None:
        hide(launch.secret)
        self._hide = hide
        self._http = httpx.Client(
            base_url=f"{launch.app_url.rstrip('/')}/runner/v1/attempts/{launch.attempt_id}/",
            headers={"Authorization": f"Bearer {launch.secret}"},
            timeout=httpx.Timeout(30, connect=5),
            trust_env=False,
            # Loading the certificates takes longer than a call over loopback.
            verify=launch.app_url.startswith("https:"),
        )
        self._nonce = nonce
        self._phase = PhaseName.SETUP
        self._progress = 0
        self._unsent: deque[PhaseResult] = deque()
        self._wake = threading.Event()
        self._closed = threading.Event()
        self._courier: threading.Thread | None = None
        self.stop = stop
        self.stop_reason = ""
        self._job_cancelled = False
        self._last_word = False

    def claim(self, request: ClaimRequest) -> AttemptBrief:
        return AttemptBrief.model_validate_json(self._patient("POST", "claim", request))

    def fetch_token(self) -> str:
        """A fresh one that reads the repository; to be given back."""
        reply = FetchReply.model_validate_json(self._patient("POST", "fetch", FetchRequest(nonce=self._nonce)))
        self._hide(reply.token)
        return reply.token

    def issue(self) -> IssueCheck:
        return IssueCheck.model_validate_json(self._patient("GET", "issue"))

    def permit(self, sequence: int, head_sha: str, report: AttemptReport) -> PermitReply:
        """The app's answer; waits while it is pending."""
        request = PermitRequest(nonce=self._nonce, sequence=sequence, head_sha=head_sha, report=report)
        pause = 0.2
        while True:
            reply = PermitReply.model_validate_json(self._patient("POST", "permit", request))
            if reply.status != "pending":
                self._hide(reply.token)
                return reply
            if self.stop.wait(pause):
                raise Interrupted
            pause = min(pause * 1.5, 2.0)

    def piece(self, of: Literal["bundle", "diff"], offset: int, data: str) -> int:
        """How much of it the app has now."""
        piece = Piece(nonce=self._nonce, of=of, offset=offset, data=data)
        self.moved()
        return PieceReply.model_validate_json(self._patient("POST", "piece", piece)).bytes

    def hold(self, head_sha: str, report: AttemptReport, bundle_sha256: str, diff_sha256: str) -> str:
        """Why the app cannot keep what was handed over; empty: it does."""
        sums = {"bundle_sha256": bundle_sha256, "diff_sha256": diff_sha256}
        request = HoldRequest(nonce=self._nonce, head_sha=head_sha, report=report, **sums)
        return HoldReply.model_validate_json(self._patient("POST", "hold", request)).problem

    def held(self, offset: int) -> HeldReply:
        self.moved()
        return HeldReply.model_validate_json(self._patient("POST", "held", HeldRequest(nonce=self._nonce, offset=offset)))

    def finish(self, report: AttemptReport, *, tokens_revoked: tuple[str, ...], patience: float = _PATIENCE_SECONDS) -> None:
        """The courier's last call, which may reach the app after this one, cannot stop what is still to be cleared up then."""
        request = FinishRequest(nonce=self._nonce, report=report, tokens_revoked=tokens_revoked, job_cancelled=self._job_cancelled)
        self._last_word = True
        self._patient("POST", "finish", request, patience=patience, heed_stop=False)
        self._dismiss_courier()

    def entered(self, phase: PhaseName) -> None:
        self._phase = phase
        self.moved()

    def moved(self) -> None:
        """Something really happened: what heartbeats count."""
        self._progress += 1

    def report_phase(self, result: PhaseResult) -> None:
        """Queued: an app that is away does not hold up the work."""
        self._unsent.append(result)
        self._wake.set()

    def start_courier(self, every_seconds: float) -> None:
        self._courier = threading.Thread(target=self._carry, args=(every_seconds,), daemon=True, name="courier")
        self._courier.start()

    def close(self) -> None:
        self._dismiss_courier()
        if self._courier:
            self._courier.join(timeout=5)
        self._http.close()

    def end(self, reason: str, *, job_cancelled: bool = False) -> None:
        """Asks everything in this process to stop, with the reason that people will read; the first one stands."""
        self._job_cancelled = self._job_cancelled or (job_cancelled and not self.stop_reason)
        self.stop_reason = self.stop_reason or reason
        self.stop.set()

    def _dismiss_courier(self) -> None:
        self._closed.set()
        self._wake.set()

    def _carry(self, every_seconds: float) -> None:
        """Delivers finished phases at once and a heartbeat in each interval; silence of the app is no reason to stop."""
        next_beat = 0.0
        while not self._closed.is_set():
            self._wake.clear()
            try:
                while self._unsent:
                    self._once("POST", "phase", PhaseFinished(nonce=self._nonce, result=self._unsent[0]))
                    self._unsent.popleft()
                if time.monotonic() >= next_beat:
                    self._beat()
                    next_beat = time.monotonic() + every_seconds
            except Fenced:
                if not self._last_word:
                    self.end("the app gave this attempt up")
                return
            except (httpx.HTTPError, FatalError) as error:
                _log.warning("app does not answer", error=str(error))
                self._closed.wait(min(1.0, every_seconds))
                continue
            self._wake.wait(max(0.0, next_beat - time.monotonic()))

    def _beat(self) -> None:
        beat = Heartbeat(nonce=self._nonce, phase=self._phase, progress=self._progress)
        reply = HeartbeatReply.model_validate_json(self._once("POST", "heartbeat", beat))
        if reply.stop is not None and not self._last_word:
            self.end(reply.stop)

    def _patient(
        self, method: str, path: str, body: BaseModel | None = None, *, patience: float = _PATIENCE_SECONDS, heed_stop: bool = True
    ) -> bytes:
        # Not stamina: this wait must end at once when we are told to stop.
        deadline = time.monotonic() + patience
        pause = 0.1
        while True:
            try:
                return self._once(method, path, body)
            except httpx.HTTPError as error:
                if time.monotonic() + pause > deadline:
                    raise FatalError(f"the app at {self._http.base_url} did not answer for {patience:.0f} s: {error}") from error
                _log.info("app does not answer, trying again", call=path, error=str(error), wait=pause)
            if (self.stop if heed_stop else self._closed).wait(pause):
                raise Interrupted
            pause = min(pause * 2, 5.0)

    def _once(self, method: str, path: str, body: BaseModel | None = None) -> bytes:
        content = body.model_dump_json() if body is not None else None
        response = self._http.request(method, path, content=content, headers={"Content-Type": "application/json"})
        if response.status_code == httpx.codes.CONFLICT:
            raise Fenced
        if response.status_code == httpx.codes.UPGRADE_REQUIRED:
            raise FatalError(f"app and runner are of different versions: {response.text[:300]}; install the same one on both sides")
        if response.status_code == httpx.codes.TOO_MANY_REQUESTS or response.is_server_error:
            response.raise_for_status()
        if response.is_client_error:
            raise FatalError(f"the app refused {path}: {response.status_code} {response.text[:300]}")
        return response.content

"""A real HTTP server on loopback that speaks the runner API and does what a test tells it to; records everything it hears."""

import base64
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from shared.messages import (
    AttemptBrief,
    ClaimRequest,
    FetchReply,
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
from shared.models import AttemptReport, PhaseResult

SECRET = "shoal_secret_for_one_attempt_only"


def _grant(_request: PermitRequest) -> PermitReply:
    return PermitReply(status="granted", token="a-write-token")


@dataclass
class ScriptedApp:
    """Answers for one attempt; the callables and fields may be changed while it runs."""

    brief: AttemptBrief
    permit: Callable[[PermitRequest], PermitReply] = _grant
    fetch: Callable[[], str] = lambda: ""
    issue: IssueCheck = field(default_factory=lambda: IssueCheck(unchanged=True))
    stop: str | None = None
    # Answers 503 to everything while set: the app is away.
    away: bool = False
    # The attempt is over from this call on: 409.
    gone_at: str = ""
    # Answers these calls with these statuses.
    statuses: dict[str, int] = field(default_factory=dict)
    # Called before every answer with the name of the call.
    on_call: Callable[[str], None] = lambda _name: None
    holder: ClaimRequest | None = None
    calls: list[str] = field(default_factory=list)
    beats: list[Heartbeat] = field(default_factory=list)
    phases: list[PhaseResult] = field(default_factory=list)
    # The tokens that were handed out for fetching.
    lent: list[str] = field(default_factory=list)
    permits: list[PermitRequest] = field(default_factory=list)
    # What was handed over to be held, and what is given back; a forgetful app answers like one that shares no folder with another.
    pieces: dict[str, bytes] = field(default_factory=dict)
    forgetful: bool = False
    hold: HoldRequest | None = None
    finished: FinishRequest | None = None
    url: str = ""
    _changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def report(self) -> AttemptReport:
        assert self.finished is not None, f"the attempt did not finish; calls: {self.calls}"
        return self.finished.report

    def launch(self, work_dir: Path) -> RunnerLaunch:
        return RunnerLaunch(app_url=self.url, attempt_id=self.brief.attempt_id, secret=SECRET, work_dir=str(work_dir))

    def wait_for(self, happened: Callable[["ScriptedApp"], bool], seconds: float = 60) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: happened(self), timeout=seconds), f"it did not happen; calls: {self.calls}"

    def answer(self, name: str, body: bytes) -> tuple[int, str]:
        """Status and JSON."""
        self.on_call(name)
        with self._changed:
            self.calls.append(name)
            self._changed.notify_all()
            if self.away:
                return 503, "{}"
            if self.gone_at and self.gone_at in self.calls:
                return 409, "{}"
            if name in self.statuses:
                return self.statuses[name], "{}"
            status, text = self._answer(name, body)
            self._changed.notify_all()
            return status, text

    def _answer(self, name: str, body: bytes) -> tuple[int, str]:
        if name == "claim":
            claim = ClaimRequest.model_validate_json(body)
            if self.holder is not None and self.holder.nonce != claim.nonce:
                return 409, "{}"
            self.holder = claim
            return 200, self.brief.model_dump_json()
        if name == "fetch":
            self.lent.append(self.fetch())
            return 200, FetchReply(token=self.lent[-1]).model_dump_json()
        if name == "issue":
            return 200, self.issue.model_dump_json()
        if name == "heartbeat":
            self.beats.append(Heartbeat.model_validate_json(body))
            return 200, HeartbeatReply(stop=self.stop).model_dump_json()
        if name == "phase":
            self.phases.append(PhaseFinished.model_validate_json(body).result)
            return 200, "{}"
        if name == "permit":
            self.permits.append(PermitRequest.model_validate_json(body))
            return 200, self.permit(self.permits[-1]).model_dump_json()
        if name == "piece":
            piece = Piece.model_validate_json(body)
            have = b"" if self.forgetful else self.pieces.get(piece.of, b"")[: piece.offset] + base64.b64decode(piece.data)
            self.pieces[piece.of] = have
            return 200, PieceReply(bytes=len(have)).model_dump_json()
        if name == "hold":
            self.hold = HoldRequest.model_validate_json(body)
            return 200, HoldReply().model_dump_json()
        if name == "held":
            rest = self.pieces["bundle"][HeldRequest.model_validate_json(body).offset :]
            return 200, HeldReply(data=base64.b64encode(rest).decode()).model_dump_json()
        if name == "finish":
            self.finished = FinishRequest.model_validate_json(body)
            return 200, "{}"
        return 404, "{}"


@contextmanager
def serving(app: ScriptedApp, port: int = 0) -> Iterator[ScriptedApp]:
    """Serves `app` on loopback while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _handle(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            prefix = f"/runner/v1/attempts/{app.brief.attempt_id}/"
            if self.headers.get("Authorization") != f"Bearer {SECRET}" or not self.path.startswith(prefix):
                status, text = 401, "{}"
            else:
                status, text = app.answer(self.path.removeprefix(prefix), body)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_POST = _handle  # noqa: N815 the base class looks for these names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the base class's name
            """Quiet: the test reads `calls`."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    app.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield app
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

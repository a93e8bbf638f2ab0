"""Models that say what a test wrote for them: the APIs of Anthropic, OpenAI and Gemini on loopback, scripted by data.

    story = Story("add a file", [Turn(shell="echo hello > new.txt"), Turn(text="Done.")])
    with model_api(story) as api:
        ...  # ANTHROPIC_BASE_URL=api.url, OPENAI_BASE_URL=f"{api.url}/v1", GOOGLE_GEMINI_BASE_URL=api.url
        assert api.requests[0].story == "add a file"

Which turn is next is read from the request itself (the answers since the prompt), so that many agents may talk at once and
a continued session goes on with the story of its newest prompt.
"""

import json
import re
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from tests.support import model_shapes
from tests.support.model_shapes import Asked, Json, Tool, Turn

__all__ = ["ModelApi", "Refusal", "Request", "Story", "Tool", "Turn", "model_api"]

_OUT_OF_LINES = Turn(text="Done.")
_UNKNOWN = Turn(text="(no story of this test matches the prompt)")


class Refusal(NamedTuple):
    """An HTTP error in the provider's shape; `times` requests of the story get it before its turns begin."""

    status: int
    times: float = 1
    words: str = "scripted refusal"
    headers: Mapping[str, str] = {}


class Story(NamedTuple):
    """What the model does for prompts in which `prompt` (a regular expression) is found; `endless` begins again at its end."""

    prompt: str
    turns: Sequence[Turn]
    refusals: Sequence[Refusal] = ()
    endless: bool = False


class Request(NamedTuple):
    """One request as it came; `story` is the matching one's regular expression, `turn` which of its turns was asked for."""

    method: str
    path: str
    key: str
    headers: Mapping[str, str]
    body: Json
    story: str = ""
    turn: int = -1
    status: int = 200

    @property
    def is_generating(self) -> bool:
        return self.turn >= 0


@dataclass
class ModelApi:
    """`url` is the base of all providers' paths, without a trailing slash; `key`, when set, is the only one accepted."""

    stories: Sequence[Story]
    key: str = ""
    url: str = ""
    requests: list[Request] = field(default_factory=list)
    _refused: Counter[tuple[str, int]] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _closed: threading.Event = field(default_factory=threading.Event)

    @property
    def generating(self) -> list[Request]:
        """The requests for an answer, refused ones with them."""
        return [request for request in self.requests if request.is_generating]

    def take(self, request: Request) -> tuple[Asked | None, Turn | Refusal, int]:
        """What to answer, and the number of the request."""
        asked = model_shapes.read(request.path, request.body) if request.body else None
        story, index = self._find(asked) if asked else (None, -1)
        with self._lock:
            answer = self._answer(request, story, index)
            status = answer.status if isinstance(answer, Refusal) else 200
            self.requests.append(request._replace(story=story.prompt if story else "", turn=index, status=status))
            return asked, answer, len(self.requests)

    def pause(self, seconds: float) -> None:
        """At most until the test is over."""
        self._closed.wait(None if seconds == float("inf") else seconds)

    def close(self) -> None:
        self._closed.set()

    def _find(self, asked: Asked) -> tuple[Story | None, int]:
        prompts = [index for index, message in enumerate(asked.messages) if message.role == "user"]
        for index in reversed(prompts):
            for story in self.stories:
                if re.search(story.prompt, asked.messages[index].text):
                    return story, model_shapes.turns_since(asked.messages, index)
        return None, 0

    def _answer(self, request: Request, story: Story | None, index: int) -> Turn | Refusal:
        if self.key and request.key != self.key:
            return Refusal(401, words="invalid x-api-key")
        if story is None:
            return _UNKNOWN
        for number, refusal in enumerate(story.refusals):
            if self._refused[story.prompt, number] < refusal.times:
                self._refused[story.prompt, number] += 1
                return refusal
        if story.endless:
            index %= len(story.turns)
        return story.turns[index] if index < len(story.turns) else _OUT_OF_LINES


@contextmanager
def model_api(*stories: Story, key: str = "") -> Iterator[ModelApi]:
    """Serves until the block ends; whoever still waits for an answer then is let go."""
    api = ModelApi(stories, key)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, api))
    server.daemon_threads = True
    api.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield api
    finally:
        api.close()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    def __init__(self, api: ModelApi, *args: Any) -> None:
        self.api = api
        super().__init__(*args)

    def handle(self) -> None:
        with suppress(ConnectionError):  # an agent that is killed hangs up in the middle
            super().handle()

    def do_HEAD(self) -> None:
        self._send_json(200, {})

    def do_GET(self) -> None:
        self.api.take(self._request({}))
        self._send_json(200, {"data": [], "models": [], "object": "list", "has_more": False})

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length") or 0)) or self._chunks()
        request = self._request(json.loads(raw or b"{}"))
        asked, answer, number = self.api.take(request)
        if isinstance(answer, Refusal):
            return self._send_json(answer.status, model_shapes.error(request.path, answer.status, answer.words), answer.headers)
        if asked is None:
            known = {"input_tokens": 10, "totalTokens": 10}
            return self._send_json(200, known) if "ount" in request.path else self._send_json(404, {"error": "no such path"})
        self.api.pause(answer.wait_seconds)
        whole, events = model_shapes.answer(answer, asked, number)
        return self._send_events(asked, events, answer.cut) if asked.stream else self._send_json(200, whole)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 its name in the base class
        pass

    def _request(self, body: Json) -> Request:
        url, headers = urlsplit(self.path), {name.lower(): value for name, value in self.headers.items()}
        bearer = headers.get("authorization", "").removeprefix("Bearer ")
        asked_key = parse_qs(url.query).get("key", [""])[0]
        key = headers.get("x-api-key") or headers.get("x-goog-api-key") or bearer or asked_key
        return Request(self.command, url.path, key, headers, body)

    def _chunks(self) -> bytes:
        if self.headers.get("transfer-encoding", "").lower() != "chunked":
            return b""
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _send_json(self, status: int, body: Json, headers: Mapping[str, str] | None = None) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(raw)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(raw)

    def _send_events(self, asked: Asked, events: Sequence[Json], cut: bool) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        for event in events[: len(events) // 2] if cut else events:
            name = f"event: {event['type']}\n" if "type" in event else ""
            self.wfile.write(f"{name}data: {json.dumps(event)}\n\n".encode())
            self.wfile.flush()
        if asked.shape == "chat" and not cut:
            self.wfile.write(b"data: [DONE]\n\n")

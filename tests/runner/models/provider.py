"""A scripted provider on loopback, and a client that speaks HTTP over the proxy's Unix socket."""

import http.client
import json
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

from runner.models.keys import Keys
from runner.models.proxy import Proxy, serving
from shared.models import AttemptLimits, Usage

REAL_KEY = "sk-the-real-key"
Json = dict[str, Any]


class Call(BaseHTTPRequestHandler):
    """One request as the provider sees it."""

    protocol_version = "HTTP/1.1"
    server: "_Server"
    body: bytes

    def do_POST(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.provider.calls.append(self)
        self.server.provider.script(self)

    do_GET = do_POST  # noqa: N815 the name is http.server's

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the name is http.server's
        pass

    @property
    def json(self) -> Json:
        found: Json = json.loads(self.body)
        return found

    def answer(self, status: int, body: Json, headers: Mapping[str, str] | None = None) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"content-type": "application/json", "content-length": str(len(text)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def begin_stream(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()

    def send(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))

    def event(self, event: Json) -> None:
        self.send(b"event: %b\ndata: %b\n\n" % (str(event.get("type", "")).encode(), json.dumps(event).encode()))

    def end_stream(self) -> None:
        self.wfile.write(b"0\r\n\r\n")

    def stream(self, events: Sequence[Json]) -> None:
        self.begin_stream()
        for event in events:
            self.event(event)
        self.end_stream()

    def die(self) -> None:
        """The connection breaks."""
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    provider: "ScriptedProvider"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is part of some stories."""


Script = Callable[[Call], None]


@dataclass
class ScriptedProvider:
    script: Script
    url: str = ""
    calls: list[Call] = field(default_factory=list)


@contextmanager
def providing(script: Script) -> Iterator[ScriptedProvider]:
    provider = ScriptedProvider(script)
    with _Server(("127.0.0.1", 0), Call) as server:
        server.provider = provider
        provider.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield provider
        server.shutdown()
        thread.join()


def keys_for(url: str) -> Keys:
    return Keys.load(
        "",
        {
            "ANTHROPIC_API_KEY": REAL_KEY,
            "ANTHROPIC_BASE_URL": url,
            "OPENAI_API_KEY": REAL_KEY,
            "OPENAI_BASE_URL": f"{url}/v1",
            "GEMINI_API_KEY": REAL_KEY,
            "GOOGLE_GEMINI_BASE_URL": url,
        },
    )


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(str(self.path))


class Reply(NamedTuple):
    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def json(self) -> Json:
        found: Json = json.loads(self.body)
        return found


class Stage(NamedTuple):
    provider: ScriptedProvider
    proxy: Proxy
    socket: Path

    def connect(self) -> UnixConnection:
        return UnixConnection(self.socket)

    def ask(self, path: str, body: Json | None = None, *, method: str = "POST", headers: Mapping[str, str] | None = None) -> Reply:
        connection = self.connect()
        try:
            shown = {"x-api-key": self.proxy.key} if headers is None else headers
            connection.request(method, path, json.dumps(body) if body is not None else None, dict(shown))
            response = connection.getresponse()
            return Reply(response.status, response.read(), dict(response.getheaders()))
        finally:
            connection.close()


@contextmanager
def staged(script: Script, limits: AttemptLimits | None = None, before: Usage | None = None) -> Iterator[Stage]:
    """A provider and the proxy before it; the socket lies in a short path, as a client without our trick needs it."""
    with tempfile.TemporaryDirectory(prefix="m") as folder, providing(script) as provider:
        place = Path(folder) / "door" / "s"
        with serving(place, keys_for(provider.url), limits or AttemptLimits(), before or Usage()) as proxy:
            yield Stage(provider, proxy, place)


def message(output: int = 10, **more: object) -> Json:
    """A request of Anthropic's shape; `claude-sonnet-4-6` costs 3 and 15 dollars per million."""
    return {"model": "claude-sonnet-4-6", "max_tokens": output, "messages": [{"role": "user", "content": "hi"}], **more}


def said(input_tokens: int, output_tokens: int, **more: int) -> Json:
    """Its answer."""
    return {"type": "message", "usage": {"input_tokens": input_tokens, "output_tokens": output_tokens, **more}}

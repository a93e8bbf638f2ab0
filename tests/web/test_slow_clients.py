"""Stories about clients that take their time, on purpose or not: they hold nothing up, and nothing half is believed."""

import asyncio

import httpx
import pytest
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from app.web.body import read_body
from app.web.server import build, listen, run
from tests.support.serving import serving
from tests.web.conftest import settings
from tests.web.front import OneAttempt

_HEAD = b"POST /webhook HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize(("whole", "sent"), [(0, b""), (0, _HEAD), (1, _HEAD)])
async def test_who_does_not_finish_a_head_is_hung_up_on(front: OneAttempt, whole: int, sent: bytes) -> None:
    """Not a byte, half a head, or half of a second one; the connection ends, and others were served meanwhile."""
    listening, until = listen("127.0.0.1", 0), asyncio.Event()
    port = listening.getsockname()[1]
    task = asyncio.create_task(run(build(front, settings(), CollectorRegistry()), listening, until, head_seconds=0.3))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(whole):
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        await asyncio.wait_for(reader.readuntil(b'{"status":"ok"}'), 20)
    writer.write(sent)
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"http://127.0.0.1:{port}/healthz")
    heard = await asyncio.wait_for(reader.read(), 20)
    writer.close()
    until.set()
    await asyncio.wait_for(task, 20)
    assert (answer.status_code, heard) == (200, b"")


async def test_a_head_in_pieces_is_a_request_all_the_same(front: OneAttempt) -> None:
    """Slow is allowed as long as it ends; a second request on the same connection has its own time."""
    listening, until = listen("127.0.0.1", 0), asyncio.Event()
    task = asyncio.create_task(run(build(front, settings(), CollectorRegistry()), listening, until))
    reader, writer = await asyncio.open_connection("127.0.0.1", listening.getsockname()[1])
    for _ in range(2):
        for byte in b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n":
            writer.write(bytes([byte]))
            await writer.drain()
        assert b"200 OK" in await asyncio.wait_for(reader.readuntil(b'{"status":"ok"}'), 20)
    writer.close()
    until.set()
    await asyncio.wait_for(task, 20)


async def test_a_body_that_does_not_arrive_is_408() -> None:
    """After the time that it has; the connection is closed, for its rest would be taken for a request."""

    async def receive(request: Request) -> Response:
        return PlainTextResponse(str(len(await read_body(request, 1000, seconds=0.3))))

    async with serving(Starlette(routes=[Route("/", receive, methods=["POST"])])) as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf")
        heard = await asyncio.wait_for(reader.read(), 20)
        writer.close()
    assert heard.startswith(b"HTTP/1.1 408 ")
    assert b"did not arrive within 0.3 seconds" in heard


async def test_a_body_that_is_cut_off_leaves_no_row(
    client: httpx.AsyncClient, front: OneAttempt, capfd: pytest.CaptureFixture[str]
) -> None:
    """The sender hangs up in the middle of what it signed: nothing is believed, and it is no bug of ours."""
    reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
    writer.write(_HEAD + b'Content-Length: 5000\r\n\r\n{"action": "labeled"')
    await writer.drain()
    writer.close()
    await asyncio.wait_for(reader.read(), 20)
    assert (await client.get("/healthz")).status_code == 200
    assert front.deliveries == {}
    assert "Traceback" not in "".join(capfd.readouterr())

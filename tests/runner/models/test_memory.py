"""What the proxy costs the runner while a large answer passes."""

import http.client
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.runner.models.provider import REAL_KEY, Call, UnixConnection, message, providing

_PIECES, _PIECE = 1600, 64 * 1024

# A runner with nothing but its proxy; says its key, then its peak memory in KiB before and after.
RUNNER = """
import os, resource, sys
from pathlib import Path
from runner.models.keys import Keys
from runner.models.proxy import serving
from shared.models import AttemptLimits
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with serving(Path(sys.argv[1]), Keys.load("", os.environ), AttemptLimits(cost_usd=1000)) as proxy:
    print(proxy.key, flush=True)
    input(); print(peak(), flush=True)
    input(); print(peak(), proxy.usage.output_tokens, proxy.usage.network_bytes, flush=True)
"""


@pytest.mark.slow
def test_a_hundred_megabytes_pass_in_little_memory(tmp_path: Path) -> None:
    """The peak after them is hardly above the peak after a small call, though the reader is slower than the provider."""

    def script(call: Call) -> None:
        call.begin_stream()
        delta = b'data: {"type": "content_block_delta", "delta": "%b"}\n\n' % (b"x" * (_PIECE - 60))
        for _ in range(_PIECES if call.json["max_tokens"] > 100 else 1):
            call.send(delta)
        call.event({"type": "message_delta", "usage": {"input_tokens": 10, "output_tokens": 77}})
        call.end_stream()

    socket = tmp_path / "d" / "s"
    with providing(script) as provider:
        env = {"ANTHROPIC_API_KEY": REAL_KEY, "ANTHROPIC_BASE_URL": provider.url}
        with subprocess.Popen(
            [sys.executable, "-c", RUNNER, str(socket)], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as runner:
            assert runner.stdin is not None
            assert runner.stdout is not None
            key = runner.stdout.readline().strip()
            peaks = []
            for size in (10, 50_000):
                read = _read_all(UnixConnection(socket), key, size)
                runner.stdin.write("\n")
                runner.stdin.flush()
                peaks.append([int(word) for word in runner.stdout.readline().split()])
            runner.stdin.close()
    assert read > 100_000_000
    assert peaks[1][1:] == [2 * 77, pytest.approx(read, rel=0.01)]
    assert peaks[1][0] - peaks[0][0] < 8 * 1024, f"KiB before and after: {peaks}"


def _read_all(connection: http.client.HTTPConnection, key: str, size: int) -> int:
    connection.request("POST", "/v1/messages", json.dumps(message(size)), {"x-api-key": key})
    response = connection.getresponse()
    read = 0
    while piece := response.read(256 * 1024):
        read += len(piece)
    connection.close()
    return read

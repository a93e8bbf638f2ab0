"""What a tree used is counted while it runs and when it ends."""

import sys
from pathlib import Path

from shared.process import environment, run

_WORK = """
import os, sys, time
x = bytearray(80 << 20)
with open("file", "wb") as file:
    file.write(os.urandom(1 << 20) * 8)
    file.flush()
    os.fsync(file.fileno())
begun = time.process_time()
while time.process_time() < begun + 0.3:
    pass
time.sleep(1)
"""


def test_a_child_that_is_never_waited_for_is_counted(tmp_path: Path) -> None:
    """The kernel tells a parent only of children that it waited for; samples see the others."""
    script = f"{sys.executable} -c '{_WORK}' & {sys.executable} -c 'import time; time.sleep(1.4)'"
    ended = run(["sh", "-c", script], cwd=tmp_path, env=environment())
    assert ended.cpu_seconds >= 0.3
    assert ended.peak_memory_mib > 80
    assert 20 < ended.memory_mib <= ended.peak_memory_mib
    assert ended.written_bytes >= 8 * 2**20


def test_pages_that_processes_share_count_once(tmp_path: Path) -> None:
    """A database's buffers, seen by each of its processes, are not as many databases."""
    share = """
import mmap, os, time
buffer = mmap.mmap(-1, 64 << 20)
buffer.write(b"x" * (64 << 20))
for _ in range(6):
    if os.fork() == 0:
        buffer[:] = b"y" * (64 << 20)
        time.sleep(1)
        os._exit(0)
time.sleep(1)
"""
    ended = run([sys.executable, "-c", share], cwd=tmp_path, env=environment())
    assert 64 < ended.peak_memory_mib < 250

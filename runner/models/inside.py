"""Runs inside the sandbox, on the machine's own Python: a loopback port that leads to the attempt's model proxy, and the agent.

    python3 -I -S inside.py SOCKET -- ARGV...

Takes SHOAL_MODEL_KEY and SHOAL_FILES from its environment, where the agent does not see them; ends as the agent ends.
"""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from contextlib import suppress

# The same words as in runner/agents/shape.py, which cannot be imported here.
MODEL_URL = "{model_url}"
MODEL_KEY = "{model_key}"
_CHUNK = 64 * 1024
_LONGEST_ADDRESS = 100
_PASSED_ON = ("SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2")


def main(arguments: "list[str]") -> int:
    place, argv = arguments[0], arguments[2:]
    if any(MODEL_KEY in part for part in argv):
        return _fail("the model key never stands in an argument; put {model_key} into the environment", 2)
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    env = dict(os.environ)
    key, files = env.pop("SHOAL_MODEL_KEY", ""), json.loads(env.pop("SHOAL_FILES", "") or "{}")
    write_files(env["HOME"], {name: _filled(text, url, key) for name, text in files.items()})
    threading.Thread(target=_serve, args=(listener, place), daemon=True).start()
    return _run([part.replace(MODEL_URL, url) for part in argv], _environment(env, url, key))


def write_files(home: str, files: "dict[str, str]") -> None:
    """Below `home`, through no link."""
    for name, text in files.items():
        *folders, last = name.split("/")
        if not all(part not in {"", ".", ".."} for part in [*folders, last]):
            raise SystemExit(f"shoal: {name!r} is no path below HOME")
        handle = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
        for folder in folders:
            handle = _enter(handle, folder)
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
        opened = os.open(last, flags, 0o600, dir_fd=handle)
        os.close(handle)
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            raise SystemExit(f"shoal: {name} is no regular file")
        os.ftruncate(opened, 0)
        with os.fdopen(opened, "w", encoding="utf-8") as file:
            file.write(text)


def _enter(parent: int, folder: str) -> int:
    with suppress(FileExistsError):
        os.mkdir(folder, 0o700, dir_fd=parent)
    entered = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
    os.close(parent)
    return entered


def _filled(text: str, url: str, key: str) -> str:
    return text.replace(MODEL_URL, url).replace(MODEL_KEY, key)


def _environment(env: "dict[str, str]", url: str, key: str) -> "dict[str, str]":
    filled = {name: _filled(value, url, key) for name, value in env.items()}
    # A proxy of the machine's would be asked for 127.0.0.1 too.
    for name in ("no_proxy", "NO_PROXY"):
        filled[name] = ",".join(part for part in (filled.get(name, ""), "127.0.0.1", "localhost") if part)
    return filled


def _fail(words: str, code: int) -> int:
    sys.stderr.write(f"shoal: {words}\n")
    return code


def _run(argv: "list[str]", env: "dict[str, str]") -> int:
    """Its exit code, 128 + n when signal n ended it; signals that come before it has started reach it too."""
    waiting: list[int] = []
    child: list[subprocess.Popen[bytes]] = []

    def pass_on(number: int, _frame: object) -> None:
        if child:
            child[0].send_signal(number)
        else:
            waiting.append(number)

    for name in _PASSED_ON:
        signal.signal(getattr(signal, name), pass_on)
    try:
        started = subprocess.Popen(argv, env=env)
    except OSError as error:
        return _fail(f"{argv[0]} cannot be started: {error.strerror}", 127 if isinstance(error, FileNotFoundError) else 126)
    child.append(started)
    for number in waiting:
        started.send_signal(number)
    code = started.wait()
    return 128 - code if code < 0 else code


def _serve(listener: socket.socket, place: str) -> None:
    while True:
        near, _ = listener.accept()
        threading.Thread(target=_join, args=(near, place), daemon=True).start()


def _join(near: socket.socket, place: str) -> None:
    """Both directions of one connection; the end of one is told to the other side."""
    with near, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as far:
        try:
            _connect(far, place)
        except OSError:
            return
        near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        back = threading.Thread(target=_copy, args=(far, near), daemon=True)
        back.start()
        _copy(near, far)
        back.join()


def _connect(far: socket.socket, place: str) -> None:
    """By way of the folder when the path is longer than a socket's address may be."""
    if len(os.fsencode(place)) <= _LONGEST_ADDRESS:
        far.connect(place)
        return
    parent, _, name = place.rpartition("/")
    folder = os.open(parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        far.connect(f"/proc/self/fd/{folder}/{name}")
    finally:
        os.close(folder)


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while chunk := source.recv(_CHUNK):
            target.sendall(chunk)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        # Broken on one side: nothing more can come of the other.
        for each in (source, target):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

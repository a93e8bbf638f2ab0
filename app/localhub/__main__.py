"""`python -I -m app.localhub --dir DIR`: one process that prints its address as one line of JSON and serves until it is ended."""

import argparse
import ipaddress
import socket
import sys
import threading
from pathlib import Path

import uvicorn

from app.localhub.faults import Faults
from app.localhub.hub import Hub
from app.localhub.server import build
from app.localhub.state import State
from app.localhub.webhooks import Webhooks
from shared.errors import FatalError
from shared.git import check_git


def main() -> int:
    """Serves; 2 with one line on stderr when it cannot start."""
    arguments = _arguments()
    try:
        check_git()
        listener = _listen(arguments.host, arguments.port)
    except FatalError as error:
        sys.stderr.write(f"localhub: {error}\n")
        return 2
    host, port = listener.getsockname()[:2]
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    state = State(arguments.dir.resolve(), url)
    hub = Hub(state, Webhooks(state), Faults(), record_file=arguments.record)
    config = uvicorn.Config(
        build(hub, _print_line),
        log_level="warning",
        access_log=False,
        ws="none",
        timeout_graceful_shutdown=1,
        timeout_keep_alive=75,  # clients give up an idle connection sooner: nobody sends into one that is being closed
        date_header=False,  # the API has its own clock
    )
    server = uvicorn.Server(config)
    if arguments.until_stdin_closes:
        threading.Thread(target=_wait_for_end, args=(server,), daemon=True).start()
    server.run(sockets=[listener])
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="localhub", description=__doc__)
    parser.add_argument("--dir", type=Path, required=True, help="folder of the state; a second start finds everything again")
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address; nothing else is accepted")
    parser.add_argument("--port", type=int, default=0, help="0: a free one")
    parser.add_argument("--record", type=Path, help="file that gets every API exchange as a line of JSON")
    parser.add_argument("--until-stdin-closes", action="store_true", help="end together with whoever started this")
    return parser.parse_args()


def _listen(host: str, port: int) -> socket.socket:
    try:
        address = ipaddress.ip_address(host)
    except ValueError as error:
        raise FatalError(f"--host {host} is not an IP address: use 127.0.0.1") from error
    if not address.is_loopback:
        raise FatalError(f"--host {host} is not a loopback address: localhub has no defence against a network, use 127.0.0.1")
    listener = socket.socket(socket.AF_INET6 if address.version == 6 else socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        raise FatalError(f"{host}:{port} cannot be used ({error.strerror}): choose another --port, or 0 for a free one") from error
    listener.listen(256)
    return listener


def _print_line(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _wait_for_end(server: uvicorn.Server) -> None:
    sys.stdin.buffer.read()
    server.should_exit = True


if __name__ == "__main__":
    sys.exit(main())

"""`shoal demo`: the whole main job offline, from labelled issues to pull requests with one check run on each."""

import signal

from app.demo.rehearsal import Wishes, rehearse

_INTERRUPTED = 130


def run(wishes: Wishes) -> int:
    """The exit status; every way of being told to end cleans up first."""
    for told in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(told, _interrupt)
    try:
        return rehearse(wishes)
    except KeyboardInterrupt:
        return 0 if wishes.serve else _INTERRUPTED


def _interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt

"""`shoal demo`: the whole main job offline, from labelled issues to pull requests with one check run on each."""

import signal
import sys
from pathlib import Path
from typing import Annotated

import typer


def demo(
    agent: Annotated[
        str, typer.Option(help="`patch` plays prepared changes; anything else is a command, the prompt on its stdin.")
    ] = "patch",
    slots: Annotated[int, typer.Option(min=1, help="Tasks at the same time.")] = 4,
    think_time: Annotated[float, typer.Option(min=0, help="Seconds that the scripted agent waits in place of a model.")] = 2,
    compare: Annotated[bool, typer.Option(help="Also run one at a time, and print the true speed-up.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON; progress goes to stderr.")] = False,
    keep: Annotated[bool, typer.Option(help="Keep everything in `.shoal-demo`; a second run finds it.")] = False,
    folder: Annotated[Path | None, typer.Option("--dir", help="Keep everything in this folder instead.")] = None,
    fresh: Annotated[bool, typer.Option(help="Remove what an earlier run kept, then start.")] = False,
    serve: Annotated[bool, typer.Option(help="Leave the pages open until Ctrl-C.")] = False,
    limit: Annotated[float, typer.Option(min=1, help="Seconds after which the rehearsal counts as stuck.")] = 300,
) -> None:
    """Rehearse the main job offline: eight labelled issues become pull requests."""
    from app.demo.rehearsal import KEPT_FOLDER, Plans, rehearse
    from app.demo.world import Ways

    for stop in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(stop, _interrupt)
    ways = Ways(slots=slots, think_seconds=think_time, agent_command="" if agent == "patch" else agent)
    kept = folder or (KEPT_FOLDER if keep or fresh else None)
    try:
        status = rehearse(Plans(ways, kept, fresh, compare, as_json, serve, limit))
    except KeyboardInterrupt:
        typer.echo("ended", err=True)
        status = 0 if serve else 130
    sys.exit(status)


def _interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt

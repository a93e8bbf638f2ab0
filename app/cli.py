"""The command line: signatures and help only; each verb's body is imported when it is called, which keeps `--help` light."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

cli = typer.Typer(
    name="shoal",
    help="Turns labelled GitHub issues into pull requests, many at once.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

AsJson = Annotated[
    bool, typer.Option("--json", help="One JSON document on standard output; everything else goes to standard error.")
]


class Benchmark(StrEnum):
    """What `shoal bench` can measure."""

    ALL = "all"
    SCHEDULE = "schedule"
    PLANNING = "planning"


@cli.command()
def plan(
    issues: Annotated[Path, typer.Option(help="JSON list of issues as GitHub's REST API returns them; `-` reads standard input.")],
    tree: Annotated[Path, typer.Option(help="A git checkout, or a plain folder with the repository's files.")],
    slots: Annotated[int, typer.Option(min=1, max=10_000, help="How many tasks may run at once.")] = 4,
    as_json: AsJson = False,
) -> None:
    """Shows what would happen to a batch of issues: tasks, edges with reasons, schedule, problems.

    \b
    shoal plan --issues issues.json --tree .
    gh api 'repos/OWNER/NAME/issues?labels=shoal' | shoal plan --issues - --tree . --json

    Ends with 0 when a task was planned, 1 when none was, 2 when the input cannot be read.
    """
    from app.commands.plan import run

    raise typer.Exit(run(issues, tree, slots, as_json=as_json))


@cli.command()
def simulate(
    file: Annotated[Path, typer.Argument(help="JSON with capacity, mode and tasks; `-` reads standard input.")],
    as_json: AsJson = False,
) -> None:
    """Plays any tasks through the scheduler on virtual time.

    \b
    {"capacity": {"slots": 2, "memory_mib": 4096}, "mode": "planned", "tasks": [
      {"id": "a", "duration": 5, "needs": {"slots": 1, "memory_mib": 2048}},
      {"id": "b", "duration": 3, "estimate": 4, "after": ["a"], "conflicts_with": ["c"]},
      {"id": "c", "duration": 2}]}

    \b
    shoal simulate tasks.json
    shoal simulate tasks.json --json

    The scheduler sees `estimate`, time passes by `duration`; `needs` is one slot unless given.
    """
    from app.commands.simulate import run

    raise typer.Exit(run(file, as_json=as_json))


@cli.command()
def bench(
    what: Annotated[Benchmark, typer.Argument(help="What to measure.")] = Benchmark.ALL,
    as_json: AsJson = False,
) -> None:
    """Measures this code on this machine, next to what other strategies reach.

    \b
    shoal bench
    shoal bench schedule --json
    """
    from app.commands.bench import run

    raise typer.Exit(run(what.value, as_json=as_json))

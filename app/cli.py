"""The command line: signatures and help only; each verb's body is imported when it is called, which keeps `--help` light."""

import gc
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from shared.without import without

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
    WORKTREES = "worktrees"
    LIMITS = "limits"
    START = "start"
    REHEARSAL = "rehearsal"
    CALLS = "calls"


class RunMode(StrEnum):
    """How a job of GitHub Actions takes part."""

    WORK = "work"
    ORCHESTRATE = "orchestrate"


class RehearsalBackend(StrEnum):
    """Where the rehearsal's WorkflowManagers run."""

    LOCAL = "local"
    ACTIONS = "actions"


_BACKENDS = "`local` starts processes; `actions` dispatches jobs of our own action to `act`, which stands in for GitHub's runners."


@cli.command()
def demo(
    agent: Annotated[str, typer.Option(help="`patch` plays prepared changes; anything else is a command line.")] = "patch",
    slots: Annotated[int, typer.Option(min=1, max=64, help="How many tasks may run at once.")] = 4,
    backend: Annotated[RehearsalBackend, typer.Option(help=_BACKENDS)] = RehearsalBackend.LOCAL,
    think_time: Annotated[float, typer.Option(min=0, help="Seconds that the scripted agent waits in place of a model.")] = 2,
    compare: Annotated[bool, typer.Option("--compare", help="Run one at a time first, for the true speed-up.")] = False,
    as_json: AsJson = False,
    keep: Annotated[bool, typer.Option("--keep", help="Keep everything in `.shoal-demo`; a second run finds it.")] = False,
    folder: Annotated[Path | None, typer.Option("--dir", help="Keep everything in this folder instead.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Remove what an earlier run kept, then start.")] = False,
    serve: Annotated[bool, typer.Option("--serve", help="Leave the pages open until Ctrl-C.")] = False,
    limit: Annotated[float, typer.Option(min=1, help="Seconds after which the rehearsal counts as stuck.")] = 300,
    record: Annotated[Path | None, typer.Option(help="Write every exchange with the embedded GitHub to this file.")] = None,
) -> None:
    """Rehearses the main job offline: eight labelled issues become pull requests.

    \b
    shoal demo
    shoal demo --slots 2 --compare
    shoal demo --keep --serve
    shoal demo --backend actions

    Ends with 0 when every expected verdict came out, 1 when not.
    """
    from app.commands.demo import run
    from app.demo.rehearsal import KEPT_FOLDER, Wishes
    from app.demo.world import Ways

    ways = Ways(
        slots=slots, think_seconds=think_time, agent_command="" if agent == "patch" else agent, record=record, backend=backend.value
    )
    kept = folder or (KEPT_FOLDER if keep or fresh else None)
    raise typer.Exit(run(Wishes(ways, kept, fresh=fresh, compare=compare, as_json=as_json, serve=serve, limit_seconds=limit)))


@cli.command("serve")
def serve_command(as_json: AsJson = False) -> None:
    """Runs the orchestrator until SIGTERM or Ctrl-C; settings come from SHOAL_* variables, `.env` and `shoal.toml`.

    Without a GitHub App it first prints the address of a page that registers one, and goes on with it.
    """
    # structlog, httpx and mako import them only to be pretty on a terminal.
    with without("rich", "pygments"):
        from app.commands.serve import serve

    serve(as_json=as_json)


class Word(StrEnum):
    """What an operator can tell a running app."""

    STATUS = "status"
    PAUSE = "pause"
    DRAIN = "drain"
    RESUME = "resume"


@cli.command()
def operator(
    word: Annotated[Word, typer.Argument(help="What to tell it.")] = Word.STATUS,
    as_json: AsJson = False,
) -> None:
    """Asks the running app how it is, or tells it to start nothing new; found by SHOAL_HOST and SHOAL_PORT.

    \b
    shoal operator pause     what runs goes on, what waits keeps waiting
    shoal operator drain     the same, and /readyz says no once nothing runs
    shoal operator resume

    Needs SHOAL_OPERATOR_TOKEN, as the app has it. The word stands over restarts, for every app on the same database.
    """
    from app.commands.operator import run

    raise typer.Exit(run(word.value, as_json=as_json))


@cli.command()
def doctor(as_json: AsJson = False) -> None:
    """Tries everything that `shoal serve` needs, and names the fix for what is missing.

    \b
    shoal doctor
    shoal doctor --json

    Ends with 0 when all is well, 1 when something needs a person.
    """
    from app.commands.doctor import run

    raise typer.Exit(run(as_json=as_json))


@cli.command()
def orchestrate(
    issues: Annotated[
        str, typer.Option(help="Numbers separated by commas, or a search; empty: the event's, else all labelled.")
    ] = "",
    label: Annotated[str, typer.Option(help="The label that starts work; empty: SHOAL_LABEL, else `shoal`.")] = "",
    slots: Annotated[int | None, typer.Option(min=1, help="Tasks at the same time; empty: SHOAL_SLOTS, else the cores.")] = None,
    as_json: AsJson = False,
) -> None:
    """Plans and works on the labelled issues in this very job of GitHub Actions; action.yml starts it, nobody else can.

    \b
    shoal orchestrate
    shoal orchestrate --issues 12,15 --slots 2
    shoal orchestrate --issues "milestone:v2 author:mona"
    """
    from app.commands.orchestrate import run

    raise typer.Exit(run(issues, label, slots, as_json=as_json))


@cli.command()
def init(
    folder: Annotated[Path, typer.Argument(help="A checkout of the repository.")] = Path(),
    action: Annotated[
        str,
        typer.Option(
            help="OWNER/REPOSITORY@COMMIT of Shoal's own repository, as your runners reach it; "
            "or OWNER/REPOSITORY/.github/workflows/FILE@COMMIT: the workflow that `--reusable` wrote, which is called then."
        ),
    ] = "",
    app_url: Annotated[
        str, typer.Option(help="Address of the app as runners reach it; empty: SHOAL_RUNNER_URL. Not with `--mode orchestrate`.")
    ] = "",
    mode: Annotated[
        RunMode, typer.Option(help="`work`: started by the app. `orchestrate`: without an app, all in one job.")
    ] = RunMode.WORK,
    runner_labels: Annotated[
        str, typer.Option(help="Labels of your runners, separated by commas; empty: SHOAL_RUNNER_LABELS.")
    ] = "",
    label: Annotated[str, typer.Option(help="The label that starts work; empty: SHOAL_LABEL.")] = "",
    workflow_file: Annotated[str, typer.Option(help="Name of the workflow file; empty: SHOAL_WORKFLOW_FILE.")] = "",
    reusable: Annotated[
        bool, typer.Option("--reusable", help="Only the workflow that the organisation's other repositories call.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a workflow file that differs.")] = False,
    as_json: AsJson = False,
) -> None:
    """Writes the workflow file and a commented `.github/shoal.yml` into a checkout, and makes the label when there is an App.

    \b
    shoal init --action acme/shoal@COMMIT --app-url https://shoal.example.com
    shoal init ../widgets --action acme/shoal@COMMIT --app-url https://shoal.example.com --runner-labels self-hosted,linux
    shoal init --action acme/shoal@COMMIT --mode orchestrate
    shoal init ../ci --reusable --action acme/shoal@COMMIT --app-url https://shoal.example.com
    shoal init ../widgets --action acme/ci/.github/workflows/shoal.yml@COMMIT --app-url https://shoal.example.com
    """
    from app.commands.init import run

    said = {"mode": mode.value, "action": action, "app_url": app_url, "runner_labels": runner_labels, "label": label}
    raise typer.Exit(run(folder, {**said, "workflow_file": workflow_file}, reusable=reusable, overwrite=force, as_json=as_json))


@cli.command()
def plan(
    issues: Annotated[Path, typer.Option(help="JSON list of issues as GitHub's REST API returns them; `-` reads standard input.")],
    tree: Annotated[Path, typer.Option(help="A git checkout, or a plain folder with the repository's files.")],
    slots: Annotated[int, typer.Option(min=1, max=10_000, help="How many tasks may run at once.")] = 4,
    memory_mib: Annotated[
        float | None, typer.Option(min=0, help="Memory that all tasks share, MiB; without it memory is no limit.")
    ] = None,
    cores: Annotated[float | None, typer.Option(min=0.01, help="Cores that all tasks share; without it they are no limit.")] = None,
    prompt: Annotated[int | None, typer.Option(min=1, help="Show what the agent would be told about this issue instead.")] = None,
    markdown: Annotated[bool, typer.Option(help="Print the plan as the check run shows it.")] = False,
    svg: Annotated[
        Path | None, typer.Option(help="Also write the schedule as a picture to this file; `-`: print only that.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Shows what would happen to a batch of issues: tasks, edges with reasons, schedule, problems.

    \b
    shoal plan --issues issues.json --tree .
    gh api 'repos/OWNER/NAME/issues?labels=shoal' | shoal plan --issues - --tree . --json
    shoal plan --issues issues.json --tree . --prompt 12
    shoal plan --issues issues.json --tree . --markdown --svg schedule.svg

    Ends with 0 when a task was planned, 1 when none was, 2 when the input cannot be read.
    """
    gc.disable()  # what a plan is made of lives to the end of this process
    from app.commands.plan import machine_of, run, show_prompt, shown_as

    if prompt is not None:
        raise typer.Exit(show_prompt(issues, tree, prompt, as_json=as_json))
    shown = shown_as(as_json=as_json, markdown=markdown)
    raise typer.Exit(run(issues, tree, slots, machine=machine_of(memory_mib, cores), shown=shown, svg=svg))


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
    psplib: Annotated[
        Path | None, typer.Option(help="With `schedule`: folder with PSPLIB's sets, `data` of github.com/PyJobShop/Experiments.")
    ] = None,
    files: Annotated[int, typer.Option(min=100, max=1_000_000, help="With `worktrees`: files of the repository.")] = 20_000,
    repo: Annotated[
        list[Path] | None, typer.Option(help="With `planning`: replay this repository's history (may be bare); repeatable.")
    ] = None,
    windows: Annotated[int, typer.Option(min=1, max=1_000, help="With `--repo`: batches of eight changes to replay.")] = 30,
    growth: Annotated[bool, typer.Option("--growth", help="With `planning`: more sizes of batches and repositories.")] = False,
    svg: Annotated[Path | None, typer.Option(help="With `planning`: also draw how it grows, to this file.")] = None,
    backend: Annotated[RehearsalBackend, typer.Option(help=f"With `calls`: {_BACKENDS}")] = RehearsalBackend.LOCAL,
) -> None:
    """Measures this code on this machine, next to what other strategies reach.

    \b
    shoal bench
    shoal bench schedule --json
    shoal bench schedule --psplib Experiments/data
    shoal bench planning --repo ../requests --repo ../gin
    shoal bench planning --growth --svg growth.svg
    shoal bench worktrees --files 100000
    shoal bench limits         memory, stops and watching, about two minutes
    shoal bench start          twelve tasks until the first agent works; our action's first step, cold and warm
    shoal bench rehearsal      the main job at 1, 2, 4 and 8 slots, about five minutes
    shoal bench calls          requests to GitHub per task, as the embedded GitHub counted them
    shoal bench calls --backend actions
    """
    from app.commands.bench import Wishes, run
    from app.commands.bench_growth import GROWTH

    wishes = Wishes(psplib, files, tuple(repo or ()), windows, GROWTH if growth else None, svg, backend.value)
    raise typer.Exit(run(what.value, wishes, as_json=as_json))

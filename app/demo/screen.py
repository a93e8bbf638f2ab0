"""What a rehearsal shows: a live table on a terminal, plain lines elsewhere, and the summary at the end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from app.demo.outcome import Outcome, PullSeen, outcome
from app.demo.sample import Expected
from app.demo.world import World
from app.report.status import AppStatus, TaskState
from app.report.words import MEANINGS, duration, phase_words

_COLOURS = {"success": "green", "failure": "red", "neutral": "yellow", "action_required": "magenta"}


@dataclass
class Progress:
    """Shows every status it is given; only what changed, where lines cannot be taken back."""

    console: Console
    said: dict[int, str] = field(default_factory=dict)
    live: Live | None = None

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self.live = Live(console=self.console, refresh_per_second=8, transient=True)
            self.live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.live:
            self.live.stop()

    def show(self, status: AppStatus) -> None:
        """One more look at the app."""
        found = outcome(status)
        tasks = found.tasks if found else ()
        if self.live:
            self.live.update(_table(tasks))
            return
        for task in tasks:
            now = _state(task)
            if self.said.get(task.issue) != now:
                self.said[task.issue] = now
                self.console.print(f"#{task.issue} {now}", markup=False, highlight=False)


def _table(tasks: Sequence[TaskState]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("issue", "title", "state", "PR"):
        table.add_column(name, no_wrap=True)
    for task in tasks:
        pull = f"#{task.pull_request}" if task.pull_request else ""
        table.add_row(f"#{task.issue}", Text(task.title[:60]), Text(_state(task), _colour(task)), pull)
    return table


def summary(console: Console, world: World, found: Outcome, pulls: Sequence[PullSeen], wanted: Mapping[int, Expected]) -> None:
    """Issue by issue what came out, then what was measured, and where to look."""
    drafts = {pull.number for pull in pulls if pull.draft}
    table = Table(title=f"{world.identity.repository}: {len(found.tasks)} issues, {len(pulls)} pull requests")
    for name in ("issue", "verdict", "PR", "seconds", "why it is rehearsed" if wanted else "title"):
        table.add_column(name)
    for task in found.tasks:
        pull = f"#{task.pull_request}{' draft' if task.pull_request in drafts else ''}" if task.pull_request else "–"
        seconds = f"{sum(phase.seconds for phase in task.phases):.1f}"
        last = wanted[task.issue].why if task.issue in wanted else task.title
        table.add_row(f"#{task.issue}", Text(_state(task), _colour(task)), pull, seconds, Text(last))
    console.print(table)
    for line in _numbers(world, found):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _numbers(world: World, found: Outcome) -> list[str]:
    numbers, ways = found.numbers, world.ways
    lines: list[str] = []
    if numbers.wall_seconds is not None and numbers.parallelism is not None and numbers.overhead_seconds is not None:
        lines.append(
            f"{duration(numbers.wall_seconds)} from plan to last verdict with {ways.slots} slots; attempts together"
            f" {duration(numbers.attempt_seconds)}: parallelism {numbers.parallelism:.2f} (attempts at once on average);"
            f" {duration(numbers.overhead_seconds)} without any attempt."
        )
    faster = (
        f"{numbers.speedup:.2f} times, measured against one at a time"
        if numbers.speedup
        else "not measured (--compare measures it)"
    )
    lines.append(f"Speed-up: {faster}.")
    think = f"{ways.think_seconds:g} s of think time per task"
    scripted = f"A scripted agent stood in for a model: it plays prepared changes after {think}."
    lines.append(f"The agent was a command: {ways.agent_command}" if ways.agent_command else scripted)
    return lines


def places(world: World) -> list[str]:
    """Where to look while the pages are open."""
    hub, repository = world.identity.hub_url, world.identity.repository
    return [
        f"Repository     {hub}/{repository}",
        f"Issues         {hub}/{repository}/issues",
        f"Pull requests  {hub}/{repository}/pulls",
        f"App            {world.identity.app_url}/metrics (numbers; it has no pages of its own yet)",
        f"Folder         {world.folder}",
    ]


def _state(task: TaskState) -> str:
    if task.status == "done" and task.verdict:
        return MEANINGS[task.verdict].label.lower()
    return phase_words(task.phase) if task.status == "running" and task.phase else task.status


def _colour(task: TaskState) -> str:
    if task.verdict and task.status == "done":
        return _COLOURS[MEANINGS[task.verdict].conclusion]
    return "cyan" if task.status == "running" else "dim"

"""Plans a batch of issues: text to evidence to graph to estimates to schedule; what cannot be planned is named."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from app.planning.capacity import NO_LIMIT, Machine
from app.planning.conflicts import find_conflicts
from app.planning.dependencies import NATIVE, NATIVE_EVIDENCE, Dependency, stated_dependencies
from app.planning.estimate import NO_HISTORY, History, estimate
from app.planning.evidence import touched_files
from app.planning.graph import circle_text, cycles, downstream, ordering
from app.planning.kinds import kind_of
from app.planning.prediction import beyond, predict
from app.planning.tree import Tree
from shared.github import branch_name
from shared.issue_text import IssueText, read_issue
from shared.models import Edge, IssueSnapshot, Plan, PlannedTask, Problem, Touch

_MORE = "use a larger machine, or lower SHOAL_TASK_MEMORY_MIB when you know that its tasks need less"
NONE_ELSEWHERE: Mapping[int, Sequence[str]] = {}
BlockerState: TypeAlias = Literal["open", "closed", "pull_request", "unknown"]
OnConflict: TypeAlias = Literal["stack", "parallel", "after_merge"]


def make_plan(
    issues: Sequence[IssueSnapshot],
    tree: Tree,
    *,
    slots: int,
    blockers: Mapping[int, BlockerState] | None = None,
    elsewhere: Mapping[int, Sequence[str]] = NONE_ELSEWHERE,
    repository: str = "",
    history: History = NO_HISTORY,
    touches: Mapping[int, Sequence[Touch]] | None = None,
    machine: Machine = NO_LIMIT,
    on_conflict: OnConflict = "stack",
) -> Plan:
    """The plan of a batch; the same issues in any order give the same plan. `history` feeds its estimates.

    `on_conflict`: with `parallel` nothing waits for a conflict, so the schedule is of tasks that run at once all the same.

    `machine`: what all tasks share; who may need more than that is named, and runs alone.

    `touches`: the files that each issue will probably touch, by an Analyst; without it only what the texts name is known.
    `blockers` tells the state of issues outside the batch, `elsewhere` each issue's open native blockers in other repositories
    (`owner/name#number`); by `repository` ("owner/name") it knows its own issues' full addresses.
    A problem whose issue is also among the tasks is a remark: that task is planned.
    """
    batch = _Batch(blockers or {}, repository.lower(), elsewhere)
    batch.admit(issues)
    batch.connect()
    batch.refuse()
    return batch.plan(tree, history, touches or {}, _Course(slots, machine, exclusive=on_conflict != "parallel"))


def with_touches(plan: Plan, touches: Mapping[int, Sequence[Touch]], machine: Machine = NO_LIMIT) -> Plan:
    """The same plan where some issues will probably touch other files: conflicts and schedule follow, dependencies stay."""
    tasks = [task.model_copy(update={"touches": tuple(touches.get(task.issue, task.touches))}) for task in plan.tasks]
    dependencies = [edge for edge in plan.edges if edge.kind == "dependency"]
    after: dict[int, list[int]] = {task.issue: [] for task in tasks}
    for edge in dependencies:
        if edge.after is not None and edge.before is not None:
            after[edge.after].append(edge.before)
    conflicts = find_conflicts({task.issue: task.touches for task in tasks}, ordering(after))
    edges = (*dependencies, *conflicts.edges)
    schedule = predict(tasks, edges, conflicts.counting, plan.schedule.slots, machine)
    return plan.model_copy(update={"tasks": tuple(tasks), "edges": edges, "schedule": schedule})


def outside_blockers(issues: Sequence[IssueSnapshot], *, repository: str = "") -> tuple[int, ...]:
    """Issues outside the batch that some of it wait for: their states are what `blockers` should tell."""
    batch = _Batch({}, repository.lower())
    batch.admit(issues)
    batch.connect()
    return tuple(sorted(set().union(*batch.outside.values())))


@dataclass(frozen=True)
class _Course:
    """On what a batch is to run, and whether its conflicts are kept apart."""

    slots: int
    machine: Machine
    exclusive: bool


@dataclass
class _Batch:
    blockers: Mapping[int, BlockerState]
    repository: str
    elsewhere: Mapping[int, Sequence[str]] = field(default_factory=dict)
    issues: dict[int, IssueSnapshot] = field(default_factory=dict)
    texts: dict[int, IssueText] = field(default_factory=dict)
    edges: dict[tuple[int, int], Edge] = field(default_factory=dict)
    outside: defaultdict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    refused: set[int] = field(default_factory=set)
    refusals: list[Problem] = field(default_factory=list)
    remarks: list[Problem] = field(default_factory=list)

    def admit(self, issues: Sequence[IssueSnapshot]) -> None:
        """Every number once, with something to read in it."""
        by_number: defaultdict[int, list[IssueSnapshot]] = defaultdict(list)
        for issue in issues:
            by_number[issue.number].append(issue)
        for number in sorted(by_number):
            same = by_number[number]
            self.issues[number] = same[0]
            self.texts[number] = read_issue(same[0])
            if any(issue != same[0] for issue in same[1:]):
                self._refuse(number, f"#{number} is there {len(same)} times with different content", "give every issue once")
            elif self.texts[number].is_empty:
                self._refuse(number, f"#{number} has neither a title nor a text that can be read", "write what should change")
            elif len(same) > 1:
                self._remark(number, f"#{number} is there {len(same)} times: planned once", "give every issue once")
            if hidden := self.texts[number].hidden:
                self._remark(
                    number,
                    f"hidden text removed from #{number}: {', '.join(hidden)}",
                    "read the issue's source before you approve it",
                )

    def connect(self) -> None:
        """Dependencies inside the batch become edges; those outside are looked up."""
        for number in sorted(self.issues):
            for blocker in sorted(set(self.issues[number].blocked_by)):
                self._depend(blocker, number, NATIVE, NATIVE_EVIDENCE, f"#{number} is marked as blocked by #{blocker}")
            for name in sorted(self.elsewhere.get(number, ())):
                what, fix = f"#{number} is marked as blocked by {name}, which is open", "label it again once that is closed"
                self._refuse(number, what, fix, blocked_elsewhere=(name,))
            for stated in stated_dependencies(self.texts[number]):
                self._depend_on_statement(number, stated)
        for number, others in sorted(self.outside.items()):
            self._look_outside(number, sorted(others))

    def _depend_on_statement(self, number: int, stated: Dependency) -> None:
        if stated.repository and stated.repository.lower() != self.repository:
            what = f"#{number} waits for {stated.repository}#{stated.number}, in another repository, where nobody looks"
            fix = "once that is done take the sentence out of the issue and label it again"
            self._refuse(number, what, fix, blocked_elsewhere=(f"{stated.repository}#{stated.number}",))
        elif not stated.reverse:
            self._depend(stated.number, number, stated.probability, stated.evidence, f"#{number} says “{stated.phrase}”")
        elif stated.number in self.issues:
            self._depend(number, stated.number, stated.probability, stated.evidence, f"#{number} says “{stated.phrase}”")

    def _depend(self, before: int, after: int, probability: float, evidence: str, why: str) -> None:
        if before == after:
            return
        if before not in self.issues:
            self.outside[after].add(before)
            return
        known = self.edges.get((before, after))
        if known is None or probability > known.probability:
            self.edges[before, after] = Edge(
                kind="dependency", before=before, after=after, probability=probability, evidence=evidence, why=why
            )

    def _look_outside(self, number: int, others: Sequence[int]) -> None:
        blocking = tuple(other for other in others if self.blockers.get(other) == "open")
        if blocking:
            what = f"#{number} waits for {_names(blocking)}, open and not in this batch"
            self._refuse(number, what, f"label {_names(blocking)} too, or close it", blocking)
        for other in others:
            if self.blockers.get(other, "unknown") == "unknown":
                what = (
                    f"#{number} waits for #{other}, which is not in this batch; its state is not known: planned as if it were done"
                )
                self._remark(number, what, f"add #{other} to the batch if it is still open")

    def refuse(self) -> None:
        """Circles, and whatever waits for something refused."""
        after = self._after(self.issues)
        for circle in cycles(after):
            for number in circle:
                others = tuple(other for other in after[number] if other in circle)
                self._refuse(number, f"#{number} is in {circle_text(circle)}", "remove one of these dependencies", others)
        for number, causes in downstream(after, self.refused).items():
            self._refuse(
                number, f"#{number} waits for {_names(causes)}, which cannot be planned", "mend that one first", tuple(causes)
            )

    def plan(self, tree: Tree, history: History, touches: Mapping[int, Sequence[Touch]], course: _Course) -> Plan:
        """Everything that was not refused."""
        numbers = [number for number in sorted(self.issues) if number not in self.refused]
        tasks = [self._task(number, touches.get(number), tree, history) for number in numbers]
        dependencies = [edge for (before, after), edge in sorted(self.edges.items()) if {before, after}.isdisjoint(self.refused)]
        conflicts = find_conflicts({task.issue: task.touches for task in tasks}, ordering(self._after(numbers)))
        apart = conflicts.counting if course.exclusive else {}
        edges = (*dependencies, *conflicts.edges)
        for task in tasks:
            if much := beyond(task, course.machine):
                self._remark(task.issue, f"#{task.issue} {much}: it runs alone", _MORE)
        return Plan(
            tasks=tuple(tasks),
            edges=edges,
            schedule=predict(tasks, edges, apart, course.slots, course.machine),
            problems=self._problems(),
        )

    def _task(self, number: int, touches: Sequence[Touch] | None, tree: Tree, history: History) -> PlannedTask:
        issue, text = self.issues[number], self.texts[number]
        kind = kind_of(issue.labels, text)
        return PlannedTask(
            issue=number,
            kind=kind,
            branch=branch_name(number, issue.title),
            touches=tuple(touched_files(text, tree) if touches is None else touches),
            estimate=estimate(kind, history),
        )

    def _after(self, numbers: Iterable[int]) -> dict[int, list[int]]:
        after: dict[int, list[int]] = {number: [] for number in numbers}
        for before, number in sorted(self.edges):
            if number in after and before in after:
                after[number].append(before)
        return after

    def _problems(self) -> tuple[Problem, ...]:
        """By issue; why it was refused stands before remarks."""
        texts = [sorted(some, key=lambda one: one.what) for some in (self.refusals, self.remarks)]
        return tuple(sorted([*texts[0], *texts[1]], key=lambda one: one.issue or 0))

    def _refuse(
        self, number: int, what: str, fix: str, blocked_by: tuple[int, ...] = (), blocked_elsewhere: tuple[str, ...] = ()
    ) -> None:
        self.refused.add(number)
        problem = Problem(issue=number, what=what, fix=fix, blocked_by=blocked_by, blocked_elsewhere=blocked_elsewhere)
        self.refusals.append(problem)

    def _remark(self, number: int, what: str, fix: str) -> None:
        self.remarks.append(Problem(issue=number, what=what, fix=fix))


def _names(numbers: Iterable[int]) -> str:
    return ", ".join(f"#{number}" for number in numbers)

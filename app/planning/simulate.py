"""`shoal simulate`: the live scheduler's rule on virtual time, for any tasks, resources, dependencies and conflicts."""

from collections.abc import Iterable, Mapping
from math import fsum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from app.planning.bounds import lower_bounds
from app.planning.graph import circle_text, cycles, downstream
from app.planning.portfolio import best_priorities
from app.planning.room import Job, fits
from app.planning.schedule import priorities
from app.planning.timeline import Timeline, play

# At most a trillion, and of a resource a quintillion (bytes of an exabyte): beyond that a sum loses its small parts.
Amount = Annotated[float, Field(strict=True, ge=0, le=1e18, allow_inf_nan=False)]
Duration = Annotated[float, Field(strict=True, ge=0, le=1e12, allow_inf_nan=False)]
Name = Annotated[str, Field(min_length=1, max_length=200)]

_TASK_FORM = "write a task with an `id` and a `duration` of 0 or more"
_NAMES_FORM = 'write a list of ids, such as ["a", "b"]'
_FORMS = {
    "id": "write an id of 1 to 200 characters",
    "estimate": "write an `estimate` of 0 or more, or leave it out",
    "needs": 'write amounts of 0 or more, such as {"slots": 1}',
    "after": _NAMES_FORM,
    "conflicts_with": _NAMES_FORM,
}
_MEANT = {
    **dict.fromkeys(("depends_on", "dependencies", "deps", "blocked_by", "requires"), "after"),
    **dict.fromkeys(("conflicts", "conflict_with"), "conflicts_with"),
    **dict.fromkeys(("need", "resources"), "needs"),
    "estimates": "estimate",
}


class SimulatedTask(BaseModel):
    """One task: the scheduler sees `estimate` (default: the duration), time passes by `duration`; default need: one slot."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)

    id: Name
    duration: Duration
    estimate: Duration | None = None
    needs: dict[str, Amount] | None = None
    after: tuple[Name, ...] = ()
    conflicts_with: tuple[Name, ...] = ()


class SimulateRequest(BaseModel):
    """Tasks stay raw here: each is read by itself, so that one bad task does not stop the others."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    capacity: dict[str, Amount]
    mode: Literal["online", "planned"] = "online"
    tasks: tuple[JsonValue, ...]


class SimulateProblem(BaseModel):
    """A task that was left out, or a part of it that was (it is then among the starts)."""

    model_config = ConfigDict(frozen=True)

    task: str | None
    what: str
    fix: str


class SimulateResult(BaseModel):
    """Times in the unit of the durations; `speedup` is null when no time passed."""

    model_config = ConfigDict(frozen=True)

    makespan: float
    lower_bound: float
    sequential: float
    speedup: float | None
    starts: dict[str, float]
    finishes: dict[str, float]
    problems: tuple[SimulateProblem, ...]


def simulate(request: SimulateRequest) -> SimulateResult:
    """Plays the tasks that can run; names the others."""
    tasks, problems = _runnable(request)
    jobs = [_job(task, tasks) for task in tasks.values()]
    order = best_priorities(jobs, request.capacity) if request.mode == "planned" else priorities(jobs)
    durations = {task.id: task.duration for task in tasks.values()}
    timeline = play(jobs, durations, request.capacity, order)
    bound = max(lower_bounds(jobs, durations, request.capacity).values())
    return _result(timeline, bound, fsum(durations.values()), problems)


def _result(timeline: Timeline, bound: float, sequential: float, problems: Iterable[SimulateProblem]) -> SimulateResult:
    makespan = _rounded(timeline.makespan)
    return SimulateResult(
        makespan=makespan,
        lower_bound=min(_rounded(bound), makespan),  # apart by rounding only
        sequential=_rounded(sequential),
        speedup=round(sequential / timeline.makespan, 4) if timeline.makespan > 0 else None,
        starts={name: _rounded(timeline.starts[name]) for name in sorted(timeline.starts)},
        finishes={name: _rounded(timeline.finishes[name]) for name in sorted(timeline.finishes)},
        problems=tuple(sorted(problems, key=lambda problem: (problem.task or "", problem.what))),
    )


def _runnable(request: SimulateRequest) -> tuple[dict[str, SimulatedTask], list[SimulateProblem]]:
    tasks, problems, refused = _read(request.tasks)
    for task in tasks.values():
        if found := _fault(task, tasks.keys() | refused, request.capacity):
            problems.append(found)
            refused.add(task.id)
    tasks = {name: task for name, task in tasks.items() if name not in refused}
    after = {task.id: frozenset(task.after) for task in tasks.values()}
    for circle in cycles(after):
        refused.update(circle)
        problems += [_problem(name, circle_text(circle), "remove one `after` of the circle") for name in circle]
    for name, causes in downstream(after, refused).items():
        problems.append(_problem(name, f"waits for {', '.join(causes)}, which cannot run", "mend that one first"))
        refused.add(name)
    kept = {name: tasks[name] for name in sorted(tasks.keys() - refused)}
    problems += _unknown_conflicts(kept, tasks.keys() | refused)
    return kept, problems


def _read(raw_tasks: Iterable[JsonValue]) -> tuple[dict[str, SimulatedTask], list[SimulateProblem], set[str]]:
    """Readable tasks by id, problems, and the ids that are known but refused."""
    tasks: dict[str, SimulatedTask] = {}
    problems: list[SimulateProblem] = []
    refused: set[str] = set()
    for index, raw in enumerate(raw_tasks):
        if not isinstance(raw, dict):
            problems.append(_problem(None, f"entry {index} is not an object", _TASK_FORM))
            continue
        try:
            task = SimulatedTask.model_validate(raw)
        except ValidationError as error:
            name = _name_of(raw)
            problems.append(_unreadable(index, name, error))
            refused |= {name} if name else set()
            continue
        problems += _misspelt(task.id, raw)
        if task.id in tasks or task.id in refused:
            problems.append(_problem(task.id, f"entry {index} has an id that another entry has too", "give every task its own id"))
            refused.add(task.id)
        tasks.setdefault(task.id, task)
    for name in refused:
        tasks.pop(name, None)
    return tasks, problems, refused


def _fault(task: SimulatedTask, known: Iterable[str], capacity: Mapping[str, float]) -> SimulateProblem | None:
    if unknown := sorted(set(task.after) - set(known)):
        return _problem(task.id, f"waits for {', '.join(unknown)}, which is not among the tasks", "correct `after` or add the task")
    needs = _needs(task)
    if not fits(needs, capacity):
        most = max(needs, key=lambda name: needs[name] - capacity.get(name, 0.0))
        what = f"needs {needs[most]:g} {most} where the capacity is {capacity.get(most, 0.0):g}"
        return _problem(task.id, what, f"lower the need or raise `capacity.{most}`")
    return None


def _misspelt(name: str, raw: Mapping[str, JsonValue]) -> Iterable[SimulateProblem]:
    """Other names for our keys, as people write them: unsaid, the task would run as if it waited for nobody."""
    for key in sorted(raw.keys() & _MEANT.keys()):
        yield _problem(name, f"`{key}` is not known: ignored", f"write `{_MEANT[key]}`")


def _unknown_conflicts(tasks: Mapping[str, SimulatedTask], known: Iterable[str]) -> Iterable[SimulateProblem]:
    names = frozenset(known)
    for task in tasks.values():
        if task.id in task.conflicts_with:
            yield _problem(task.id, "conflicts with itself: ignored", "correct `conflicts_with`")
        if unknown := sorted(set(task.conflicts_with) - names):
            what = f"conflicts with {', '.join(unknown)}, which is not among the tasks: ignored"
            yield _problem(task.id, what, "correct `conflicts_with`")


def _unreadable(index: int, name: str | None, error: ValidationError) -> SimulateProblem:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    message = first["msg"].replace("a valid tuple", "a list").replace("a valid dictionary", "an object")
    return _problem(name, f"entry {index}: {place}: {message}", _FORMS.get(str(first["loc"][0]), _TASK_FORM))


def _name_of(raw: Mapping[str, JsonValue]) -> str | None:
    name = raw.get("id")
    return str(name)[:200] if isinstance(name, (str, int, float)) and name != "" else None


def _job(task: SimulatedTask, known: Mapping[str, SimulatedTask]) -> Job:
    estimate = task.duration if task.estimate is None else task.estimate
    conflicts = frozenset(task.conflicts_with) & known.keys() - {task.id}
    return Job(task.id, estimate, _needs(task), frozenset(task.after), frozenset(conflicts))


def _needs(task: SimulatedTask) -> dict[str, float]:
    return {"slots": 1.0} if task.needs is None else task.needs


def _problem(task: str | None, what: str, fix: str) -> SimulateProblem:
    return SimulateProblem(task=task and _readable(task), what=_readable(what), fix=_readable(fix))


def _readable(text: str) -> str:
    """JSON may hold half of a character, which nothing can write down again."""
    return text.encode("utf-8", "replace").decode()


def _rounded(value: float) -> float:
    """Nine decimals, below 1 nine digits: 5.3 + 9.5 reads 14.8, equal instants stay equal, and a nanosecond is no 0."""
    return round(value, 9) if value >= 1 else float(f"{value:.9g}")

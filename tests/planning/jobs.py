"""Random but small sets of jobs, and the laws that every schedule keeps."""

from collections.abc import Collection, Mapping

from hypothesis import strategies as st

from app.planning.room import Job
from app.planning.timeline import Timeline

CAPACITY = {"slots": 3.0, "memory": 8.0}
ROUNDING = 1e-6


@st.composite
def job_sets(draw: st.DrawFn, largest: int = 14) -> list[Job]:
    """Jobs whose dependencies point backwards, with conflicts and two resources; every one fits."""
    jobs: list[Job] = []
    for index in range(draw(st.integers(1, largest))):
        earlier = [job.id for job in jobs]
        after = draw(st.sets(st.sampled_from(earlier), max_size=2)) if earlier else set()
        conflicts = draw(st.sets(st.sampled_from(earlier), max_size=3)) if earlier else set()
        needs = {"slots": 1.0, "memory": draw(st.sampled_from([0.0, 1.5, 3.0, 8.0]))}
        estimate = draw(st.sampled_from([0.0, 0.1, 0.2, 1.0, 2.5, 7.0]))
        jobs.append(Job(f"j{index}", estimate, needs, frozenset(after), frozenset(conflicts)))
    return jobs


def excludes(one: Job, other: Job) -> bool:
    """Whether either of the two declared the conflict."""
    return one.id in other.conflicts_with or other.id in one.conflicts_with


def assert_lawful(timeline: Timeline, jobs: Collection[Job], capacity: Mapping[str, float]) -> None:
    """Each job once, dependents after predecessors, never over capacity, never two in conflict together."""
    assert timeline.starts.keys() == timeline.finishes.keys() == {job.id for job in jobs}
    for job in jobs:
        assert all(timeline.finishes[name] <= timeline.starts[job.id] for name in job.after)
    for moment in sorted(set(timeline.starts.values())):
        running = at_work(timeline, jobs, moment)
        for name, size in capacity.items():
            assert sum(job.needs.get(name, 0.0) for job in running) <= size + ROUNDING
        assert not any(excludes(one, other) for one in running for other in running if one.id < other.id)


def assert_nothing_idles(timeline: Timeline, jobs: Collection[Job], capacity: Mapping[str, float]) -> None:
    """At no moment is there a job that might run and does not; sums that differ in the last digit are one moment."""
    for moment in sorted({0.0, *(finish * (1 + 1e-9) for finish in timeline.finishes.values())}):
        running = at_work(timeline, jobs, moment)
        for job in jobs:
            if timeline.starts[job.id] <= moment or any(timeline.finishes[name] > moment for name in job.after):
                continue
            has_room = all(
                sum(other.needs.get(name, 0.0) for other in running) + need <= capacity[name] for name, need in job.needs.items()
            )
            assert not has_room or any(excludes(job, other) for other in running), f"{job.id} might run at {moment}"


def at_work(timeline: Timeline, jobs: Collection[Job], moment: float) -> list[Job]:
    """Jobs that run just after this moment."""
    return [job for job in jobs if timeline.starts[job.id] <= moment < timeline.finishes[job.id]]

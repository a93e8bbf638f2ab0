"""The laws of the scheduler, live and on virtual time."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.planning.bounds import lower_bounds
from app.planning.portfolio import best_priorities, passes_for
from app.planning.room import Job
from app.planning.schedule import choose, priorities
from app.planning.timeline import play
from tests.planning.jobs import CAPACITY, ROUNDING, assert_lawful, assert_nothing_idles, at_work, job_sets

RECORDED = [5.3, 9.5, 9.9, 8.1, 14.5, 9.2, 6.1, 1.4, 8.5, 16.8, 6.1, 6.5]


def job(name: str, estimate: float = 1, *, after: set[str] | None = None, conflicts: set[str] | None = None) -> Job:
    """A job that needs one slot."""
    return Job(name, estimate, {"slots": 1.0}, frozenset(after or ()), frozenset(conflicts or ()))


@settings(max_examples=100, deadline=None)
@given(jobs=job_sets(), factors=st.lists(st.sampled_from([0.0, 0.5, 1.0, 3.0]), min_size=14, max_size=14))
def test_every_schedule_keeps_the_laws(jobs: list[Job], factors: list[float]) -> None:
    """Estimates may be wrong: still lawful, nothing idles that may run, and no shorter than the lower bound."""
    durations = {one.id: one.estimate * factor for one, factor in zip(jobs, factors, strict=False)}
    timeline = play(jobs, durations, CAPACITY, priorities(jobs))
    assert_lawful(timeline, jobs, CAPACITY)
    assert_nothing_idles(timeline, jobs, CAPACITY)
    assert timeline.makespan >= max(lower_bounds(jobs, durations, CAPACITY).values()) - ROUNDING


@settings(max_examples=60, deadline=None)
@given(jobs=job_sets(largest=9))
def test_planned_is_lawful_and_never_longer_than_online(jobs: list[Job]) -> None:
    """The portfolio starts from the online rule and keeps only what is better."""
    estimates = {one.id: one.estimate for one in jobs}
    planned = play(jobs, estimates, CAPACITY, best_priorities(jobs, CAPACITY))
    assert_lawful(planned, jobs, CAPACITY)
    assert planned.makespan <= play(jobs, estimates, CAPACITY, priorities(jobs)).makespan + ROUNDING


@settings(max_examples=60, deadline=None)
@given(jobs=job_sets(), seed=st.integers(0, 1000))
def test_the_order_of_the_input_does_not_matter(jobs: list[Job], seed: int) -> None:
    """Shuffled jobs, the same priorities, choices and times."""
    shuffled = random.Random(seed).sample(jobs, len(jobs))
    estimates = {one.id: one.estimate for one in jobs}
    assert priorities(shuffled) == priorities(jobs)
    assert best_priorities(shuffled, CAPACITY) == best_priorities(jobs, CAPACITY)
    assert play(shuffled, estimates, CAPACITY, priorities(jobs)) == play(jobs, estimates, CAPACITY, priorities(jobs))


@settings(max_examples=60, deadline=None)
@given(jobs=job_sets())
def test_virtual_time_starts_what_the_live_choice_would(jobs: list[Job]) -> None:
    """At every moment of a played schedule `choose`, asked with the state before it, starts the same jobs."""
    lengthy = {one.id: one.estimate + 0.1 for one in jobs}  # no job of length 0: its start and end are one moment
    order = priorities(jobs)
    timeline = play(jobs, lengthy, CAPACITY, order)
    for moment in sorted(set(timeline.starts.values())):
        begun = {one.id for one in jobs if timeline.starts[one.id] == moment}
        running = [one for one in at_work(timeline, jobs, moment) if one.id not in begun]
        finished = {name for name, end in timeline.finishes.items() if end <= moment}
        waiting = [one for one in jobs if timeline.starts[one.id] >= moment]
        assert set(choose(waiting, running, finished, CAPACITY, order)) == begun


def test_the_longest_remaining_path_goes_first() -> None:
    """A short job with a long chain behind it comes before a longer one without."""
    jobs = [job("short", 1), job("chain", 9, after={"short"}), job("long", 5)]
    assert choose(jobs, [], [], {"slots": 1.0}, priorities(jobs)) == ["short"]


def test_the_middle_of_a_conflict_group_goes_first() -> None:
    """Three that exclude each other take 9 in a row: they start before a single 5."""
    jobs = [job("a", 3, conflicts={"b", "c"}), job("b", 3, conflicts={"c"}), job("c", 3), job("single", 5)]
    assert choose(jobs, [], [], {"slots": 1.0}, priorities(jobs)) == ["a"]
    assert play(jobs, {one.id: one.estimate for one in jobs}, {"slots": 2.0}, priorities(jobs)).makespan == 9


def test_a_conflict_declared_by_one_side_holds_for_both() -> None:
    """Whoever runs, the other waits."""
    a, b = job("a", conflicts={"b"}), job("b")
    assert choose([a], [b], [], {"slots": 4.0}, {}) == []
    assert choose([b], [a], [], {"slots": 4.0}, {}) == []


def test_what_does_not_fit_is_passed_over_for_what_does() -> None:
    """Work-conserving: the most urgent needs too much memory now, the next one starts."""
    big = Job("big", 9, {"memory": 6.0}, frozenset(), frozenset())
    small = Job("small", 1, {"memory": 2.0}, frozenset(), frozenset())
    held = Job("held", 1, {"memory": 5.0}, frozenset(), frozenset())
    assert choose([big, small], [held], [], {"memory": 8.0}, priorities([big, small])) == ["small"]


def test_the_recorded_run_is_as_short_as_longest_first_and_planned_is_shorter() -> None:
    """Twelve tasks on four slots: 27.9 minutes online (FIFO 32.4, waves 41.2), planned below 26 where 25.5 is the bound."""
    jobs = [job(f"{index:02}", minutes) for index, minutes in enumerate(RECORDED)]
    estimates = {one.id: one.estimate for one in jobs}
    capacity = {"slots": 4.0}
    assert round(play(jobs, estimates, capacity, priorities(jobs)).makespan, 6) == 27.9
    assert play(jobs, estimates, capacity, best_priorities(jobs, capacity)).makespan < 26


def test_bounds_name_each_limit() -> None:
    """A chain, the work per slot and a group of conflicts each give their bound."""
    jobs = [job("a", 2), job("b", 3, after={"a"}), job("c", 4, conflicts={"d"}), job("d", 4)]
    bounds = lower_bounds(jobs, {one.id: one.estimate for one in jobs}, {"slots": 2.0})
    assert bounds == {"critical path": 5, "slots": 6.5, "conflicts": 8}


def test_room_is_kept_for_what_waits_too_long() -> None:
    """A big job beside a stream of small ones: its room is kept once it is overdue, and only then does a slot idle."""
    big = Job("big", 1, {"memory": 8.0}, frozenset(), frozenset())
    small = [Job(f"small{index:02}", 2, {"memory": 4.0}, frozenset(), frozenset()) for index in range(3)]
    capacity = {"memory": 8.0}
    assert choose([big, *small[1:]], small[:1], [], capacity, priorities([big, *small])) == ["small01"]
    assert choose([big, *small[1:]], small[:1], [], capacity, priorities([big, *small]), overdue=["big"]) == []
    assert choose([big, *small[1:]], [], [], capacity, priorities([big, *small]), overdue=["big"]) == ["big"]


def test_whoever_conflicts_with_one_whose_room_is_kept_does_not_overtake_it() -> None:
    """It needs nothing of what the late one lacks, and would still keep it waiting when that is free."""
    late = Job("late", 1, {"memory": 8.0}, frozenset(), frozenset({"other"}))
    held = Job("held", 1, {"memory": 4.0}, frozenset(), frozenset())
    other, neutral = (Job(name, 9, {"cores": 1.0}, frozenset(), frozenset()) for name in ("other", "neutral"))
    capacity = {"memory": 8.0, "cores": 2.0}
    jobs = [late, other, neutral]
    assert set(choose(jobs, [held], [], capacity, priorities(jobs), overdue=["late"])) == {"neutral"}
    assert set(choose(jobs, [held], [], capacity, priorities(jobs))) == {"other", "neutral"}


def test_sums_that_differ_in_the_last_digit_are_one_moment() -> None:
    """0.1 + 0.2 and 0.3: the urgent one, which needs both slots, is not overtaken for the sake of 4e-17."""
    two = Job("both", 9, {"slots": 2.0}, frozenset({"b"}), frozenset())
    jobs = [job("a", 0.1), job("b", 0.2, after={"a"}), job("c", 0.3), two, job("small", 1)]
    order = {"a": 9.0, "b": 8.0, "c": 7.0, "both": 6.0, "small": 5.0}
    timeline = play(jobs, {one.id: one.estimate for one in jobs}, {"slots": 2.0}, order)
    assert (round(timeline.starts["both"], 9), round(timeline.starts["small"], 9)) == (0.3, 9.3)


@settings(max_examples=60, deadline=None)
@given(jobs=job_sets(), patience=st.sampled_from([0.5, 2.0, 8.0]))
def test_schedules_with_patience_keep_the_laws_too(jobs: list[Job], patience: float) -> None:
    """Nobody waits for ever, and the order of time is lawful whoever is overdue."""
    durations = {one.id: one.estimate + 0.1 for one in jobs}
    timeline = play(jobs, durations, CAPACITY, priorities(jobs), patience)
    assert_lawful(timeline, jobs, CAPACITY)


def test_a_stream_of_small_ones_starves_nobody() -> None:
    """Two chains that always leave half of the memory in use would keep a big job out to the end; patience gives it a turn."""
    chains = [
        Job(f"{chain}{index:02}", 3, {"memory": 4.0}, frozenset({f"{chain}{index - 1:02}"} if index else ()), frozenset())
        for chain in "ab"
        for index in range(20)
    ]
    jobs = [*chains, Job("big", 1, {"memory": 8.0}, frozenset(), frozenset())]
    durations = {one.id: one.estimate for one in jobs} | {"b00": 1.5}
    assert play(jobs, durations, {"memory": 8.0}, priorities(jobs)).starts["big"] >= 58
    assert play(jobs, durations, {"memory": 8.0}, priorities(jobs), patience=10).starts["big"] <= 15


@pytest.mark.parametrize(("jobs", "conflicts", "most"), [(200, 0, 12), (500, 0, 9), (1_000, 0, 3), (2_000, 0, 1), (200, 39_800, 9)])
def test_large_batches_and_crowds_are_tried_in_fewer_orders(jobs: int, conflicts: int, most: int) -> None:
    """By counted work, not by a clock: 200 jobs are worth a dozen orders, 2,000 the one that is needed anyway."""
    assert passes_for(jobs, conflicts) == most


@given(st.integers(1, 5_000), st.integers(0, 1_000_000))
def test_more_work_is_never_tried_more_often(jobs: int, conflicts: int) -> None:
    """One order is played in any case; another job or conflict never adds one."""
    tried = passes_for(jobs, conflicts)
    assert tried >= max(1, passes_for(jobs + 1, conflicts), passes_for(jobs, conflicts + 1))

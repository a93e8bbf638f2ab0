"""Every interleaving of claim, permit, push, create, finish with crashes, lost replies, zombies, people; the real decide()."""

from collections import deque
from dataclasses import replace

import pytest

from shared.models import VerdictName
from tests.support.protocol import POLICY, World, act, done, labelled_world, patience, perform, trouble


def explore(faults: int, most: int, first: World) -> tuple[int, int, list[World]]:
    """Breadth first through all worlds with at most `faults` faults: worlds seen, ends reached, violations."""
    seen = {first.key}
    todo = deque([first])
    ends = 0
    broken: list[World] = []
    while todo and not broken and len(seen) < most:
        world = todo.popleft()
        if violation(world):
            broken.append(world)
            continue
        following = steps(world, faults)
        if not following:
            ends += 1
            if not done(world):
                broken.append(world)
        for name, after in following:
            key = after.key
            if key not in seen:
                seen.add(key)
                todo.append(replace(after, trail=(*world.trail, name)))
    return len(seen), ends, broken


def steps(world: World, faults: int) -> list[tuple[str, World]]:
    """All that can happen next; time passes only when nothing else can."""
    ordinary = [(f"app: {action.kind}", after) for action in world.outbox for after in perform(world, action)]
    ordinary += [
        step for index in range(len(world.runners)) for step in act(world, index) if step[1].faults <= faults and step[1] != world
    ]
    moved = [(name, after) for name, after in ordinary if after.key != world.key]
    if world.faults < faults:
        moved += [(name, after) for name, after in trouble(world) if after.key != world.key]
    if moved:
        return moved
    later = patience(world)
    return [("an hour passes", later)] if later is not None else []


def violation(world: World) -> str:
    """What must never be."""
    if len(world.pulls) > 1:
        return "a second pull request"
    task = world.state.tasks[5]
    if any(pull.head_sha not in task.heads and not pull.head_sha.startswith("person") for pull in world.pulls):
        return "a pull request whose head was never permitted"
    if len(set(world.reviews)) < len(world.reviews):
        return "a second review of one head"
    untouched = world.branch in task.heads and all(pull.state == "open" for pull in world.pulls)
    reviewed = world.branch in world.reviews or not world.reviewing
    if done(world) and world.pulls and untouched and world.faults < POLICY.max_losses and not reviewed:
        return "a pull request that nobody reviewed, although attempts were left"
    if done(world) and task.verdict is not None and task.verdict.name is VerdictName.SUCCEEDED and not world.pulls:
        return "success without a pull request"
    return ""


def tell_story(broken: list[World]) -> str:
    """The shortest way to the first violation."""
    return "\n".join((violation(broken[0]) or "the task never ended", *broken[0].trail)) if broken else ""


def reviewing_world() -> World:
    """Nothing went wrong so far: the pull request is there, its review is next."""
    world = labelled_world()
    while not any(runner.step == "ask review" for runner in world.runners):
        world = steps(world, 0)[0][1]
    return world


def test_two_faults_anywhere_never_make_a_second_pull_request() -> None:
    """All worlds with up to two faults: one pull request at most, evidence for it, and every task ends."""
    worlds, ends, broken = explore(2, 200_000, replace(labelled_world(), reviewing=False))

    assert not broken, tell_story(broken)
    assert ends > 0
    assert worlds < 200_000, "the search was cut short"


def test_two_faults_after_the_pull_request_leave_exactly_one_review() -> None:
    """Whoever dies before, while or after posting it is followed by one that only does the review, or finds it."""
    worlds, ends, broken = explore(2, 200_000, reviewing_world())

    assert not broken, tell_story(broken)
    assert ends > 0
    assert worlds < 200_000, "the search was cut short"


def test_the_search_finds_what_a_weaker_protocol_allows() -> None:
    """If a backend calls a silent runner dead that is not, its zombie makes the second pull request: the search would see it."""
    _, _, broken = explore(2, 200_000, replace(labelled_world(), lying_backend=True, reviewing=False))

    assert any(violation(world) == "a second pull request" for world in broken)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_two_faults_anywhere_never_make_a_second_review() -> None:
    """The whole way in one search: a fault before the pull request, another one after it."""
    worlds, _, broken = explore(2, 600_000, labelled_world())

    assert not broken, tell_story(broken)
    assert worlds < 600_000, "the search was cut short"


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_three_faults_anywhere_never_make_a_second_pull_request() -> None:
    """The same with every three faults."""
    worlds, _, broken = explore(3, 600_000, replace(labelled_world(), reviewing=False))

    assert not broken, tell_story(broken)
    assert worlds < 600_000, "the search was cut short"

"""A small world around the real decide(): one task, its runners, GitHub, and people; every step is an explicit choice.

The world's rules are those of GITHUB.md: a push with a lease fails when the branch is elsewhere, a pull request needs a head and is
refused while one is open for it, a revoked or expired token is refused.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property

from pydantic import BaseModel

from app.actions import AnyAction, OpenPullRequest, ReadRemote, RevokeTokens, StartAttempt, StopAttempt
from app.decide.context import Context, Pool
from app.decide.decide import decide
from app.decide.policy import Policy
from app.decide.state import Attempt, AttemptStatus, Repository, State, TaskStatus
from app.events import (
    AnyEvent,
    AttemptClaimed,
    AttemptFinished,
    AttemptGone,
    AttemptStarted,
    IssueLabelled,
    IssueRead,
    PermitRequested,
    PlanReady,
    PullRequestChanged,
    PullRequestOpened,
    PullRequestSeen,
    RemoteRead,
    RepositoryRef,
    Started,
    Tick,
    TokenMinted,
    TokensRevoked,
)
from shared.github import issue_hash
from shared.messages import ClaimRequest
from shared.models import (
    AttemptReport,
    Estimate,
    IssueSnapshot,
    Kind,
    Plan,
    PlannedTask,
    Schedule,
    Verdict,
    VerdictName,
)
from shared.repository_settings import RepositorySettings

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LEASE = timedelta(seconds=60)
TOKEN_LIFE = timedelta(hours=1)
REPOSITORY = RepositoryRef(id=1, full_name="acme/widgets", installation_id=9)
SNAPSHOT = IssueSnapshot(number=5, title="Fix", body="It breaks.", labels=("shoal",), hash=issue_hash("Fix", "It breaks."))
BRANCH = "shoal/5-fix"
POLICY = Policy(
    label="shoal",
    intake=timedelta(0),
    intake_max=timedelta(0),
    lease=LEASE,
    start_timeout=timedelta(seconds=60),
    not_begun="nobody began it",
    slots=4,
    task_memory_mib=1,
)


@dataclass(frozen=True)
class Pull:
    """A pull request on GitHub."""

    number: int
    state: str
    merged: bool
    head_sha: str


@dataclass(frozen=True)
class Runner:
    """A WorkflowManager's own idea of where it is; it acts on it however stale it is."""

    attempt: str
    pid: int
    step: str = "claim"
    expected: str = ""
    token: str = ""
    sequence: int = 0
    alive: bool = True
    # The head of an earlier attempt that it only reviews.
    taken_over: str = ""

    @property
    def head(self) -> str:
        """The commit it makes, or takes over."""
        return self.taken_over or f"head-{self.attempt}"

    @property
    def nonce(self) -> str:
        """Chosen by the process."""
        return f"nonce-{self.pid}"


@dataclass(frozen=True)
class World:
    """Everything there is, hashable by `key`."""

    state: State
    now: datetime = NOW
    outbox: tuple[AnyAction, ...] = ()
    runners: tuple[Runner, ...] = ()
    branch: str | None = None
    # Heads that are ancestors of what the branch holds.
    contains: frozenset[str] = frozenset()
    pulls: tuple[Pull, ...] = ()
    # The head that each review speaks of.
    reviews: tuple[str, ...] = ()
    tokens: tuple[tuple[str, str, datetime], ...] = ()
    held: tuple[tuple[str, str], ...] = ()
    secrets: tuple[tuple[str, int], ...] = ()
    lying_backend: bool = False
    # Whether a runner goes on to the review of its pull request, or has nothing to say there.
    reviewing: bool = True
    faults: int = 0
    trail: tuple[str, ...] = field(default=(), compare=False)

    @cached_property
    def key(self) -> tuple[object, ...]:
        """Equal for worlds that behave alike: of a runner that is over, and of what only it held, nothing can follow any more."""
        rows = (*self.state.tasks.values(), *self.state.attempts.values(), *self.state.orchestrations.values())
        at_work = tuple(runner if runner.alive and runner.step in STEPS else None for runner in self.runners)
        theirs = {(runner.attempt, runner.pid) for runner in at_work if runner}
        known = {runner.token for runner in at_work if runner}
        return (
            tuple(_text(row) for row in rows),
            self.now,
            tuple(sorted(_text(action) for action in self.outbox)),
            at_work,
            self.branch,
            self.contains,
            self.pulls,
            self.reviews,
            tuple(token for token in self.tokens if token[0] in known and self.now < token[2]),
            frozenset((attempt, token if token in known else "") for attempt, token in self.held),
            tuple(secret for secret in self.secrets if secret in theirs),
            self.faults,
        )


_texts: dict[int, tuple[BaseModel, str]] = {}


def _text(row: BaseModel) -> str:
    """Worlds share the rows that no step between them changed: each is written out once. Kept, so that no id is used again."""
    if id(row) not in _texts:
        _texts[id(row)] = (row, row.model_dump_json())
    return _texts[id(row)][1]


def context(world: World) -> Context:
    """The arguments of a decision in this world."""
    held = sum(attempt.holds_slot for attempt in world.state.attempts.values())
    return Context(world.now, POLICY, Pool(slots_held=held))


def tell(world: World, event: AnyEvent) -> tuple[World, str]:
    """The world after a decision on `event`, and the refusal."""
    decision = decide(world.state, event, context(world))
    waiting = [action for action in decision.actions if action not in world.outbox and action.kind not in QUIET]  # type: ignore[attr-defined]
    return replace(world, state=decision.state, outbox=(*world.outbox, *waiting)), decision.refusal  # type: ignore[arg-type]


# Texts and acknowledgements change nothing in the protocol, nor does a second look at an issue and blockers that stay as they are.
QUIET = {"sync_report", "sync_comment", "acknowledge", "make_plan", "read_issue", "read_blockers"}


def labelled_world() -> World:
    """One approved and planned issue whose first attempt is about to be started."""
    world = World(State(Repository(id=1, full_name="acme/widgets", installation_id=9)))
    world, _ = tell(
        world, IssueLabelled(repository_id=1, repository=REPOSITORY, issue=5, label="shoal", sender="ann", snapshot=SNAPSHOT)
    )
    world = replace(world, outbox=())
    read = IssueRead(
        repository_id=1,
        issue=5,
        state="open",
        snapshot=SNAPSHOT,
        labelled_snapshot=SNAPSHOT,
        label_event=1,
        labeller="ann",
        permission="write",
    )
    world, _ = tell(world, read)
    world, _ = tell(world, Tick(repository_id=1))
    orchestration = next(iter(world.state.orchestrations))
    world, _ = tell(
        world,
        PlanReady(
            repository_id=1,
            orchestration=orchestration,
            base_sha="base",
            default_branch="main",
            plan=plan(),
            settings=RepositorySettings(),
            clone_url="http://x",
        ),
    )
    return world


def plan() -> Plan:
    """The plan of the one issue."""
    estimate = Estimate(minutes_p50=1, minutes_p90=2, memory_mib_p90=1, source="prior")
    task = PlannedTask(issue=5, kind=Kind.BUG, branch=BRANCH, estimate=estimate)
    schedule = Schedule(
        slots=4, makespan_minutes=1, sequential_minutes=1, lower_bound_minutes=1, predicted_speedup=1, binding_limit="critical path"
    )
    return Plan(tasks=(task,), schedule=schedule)


def report(world: World, runner: Runner) -> AttemptReport:
    """A good attempt's words."""
    verdict = Verdict(name=VerdictName.SUCCEEDED, reason="tests pass")
    posted = runner.head in world.reviews or not world.reviewing
    return AttemptReport(verdict=verdict, head_sha=runner.head, pull_request_title="Fix", review_posted=posted)


# What the app does


def perform(world: World, action: AnyAction) -> list[World]:
    """The worlds that an effect can lead to; its action is done."""
    rest = replace(world, outbox=tuple(a for a in world.outbox if a is not action))
    match action:
        case StartAttempt():
            attempt = rest.state.attempts.get(action.attempt)
            if attempt is None or attempt.status is not AttemptStatus.STARTING:
                return [rest]
            pid = len(rest.runners) + 1
            # Its secret replaces the one of a process that was started just before a crash.
            secrets = (*(s for s in rest.secrets if s[0] != action.attempt), (action.attempt, pid))
            begun = replace(rest, runners=(*rest.runners, Runner(action.attempt, pid)), secrets=secrets)
            return [tell(begun, AttemptStarted(repository_id=1, attempt=action.attempt, pid=pid, pid_started=0))[0]]
        case StopAttempt():
            # The process may go on as a zombie; an honest backend says that it could not prove its death.
            gone = AttemptGone(repository_id=1, attempt=action.attempt, proven=rest.lying_backend)
            return [tell(rest, gone)[0]]
        case RevokeTokens():
            mine = [token for attempt, token in rest.held if attempt == action.attempt]
            if not mine:
                return [rest]
            left = tuple(t for t in rest.tokens if t[0] not in mine)
            revoked = replace(rest, tokens=left, held=tuple(h for h in rest.held if h[0] != action.attempt))
            return [tell(revoked, TokensRevoked(repository_id=1, attempt=action.attempt))[0]]
        case ReadRemote():
            attempt = rest.state.attempts.get(action.attempt)
            if attempt is None:
                return [rest]
            return [tell(rest, remote(rest, attempt, action.sequence))[0]]
        case OpenPullRequest():
            opened, pull = create_pull(rest)
            return (
                [tell(opened, PullRequestOpened(repository_id=1, attempt=action.attempt, pull=seen(pull)))[0]] if pull else [rest]
            )
        case _:
            raise AssertionError(action)


def remote(world: World, attempt: Attempt, sequence: int | None) -> RemoteRead:
    """What GitHub says."""
    published = world.state.tasks[5].published
    heads = [*(one.head_sha for one in reversed(attempt.evidence)), published.report.head_sha if published else ""]
    return RemoteRead(
        repository_id=1,
        attempt=attempt.id,
        sequence=sequence,
        branch_sha=world.branch,
        landed=next((head for head in heads if head in world.contains), ""),
        pulls=tuple(seen(pull) for pull in world.pulls),
        issue_hash=SNAPSHOT.hash,
    )


def seen(pull: Pull) -> PullRequestSeen:
    """As the app reads it."""
    state = "open" if pull.state == "open" else "closed"
    return PullRequestSeen(number=pull.number, state=state, merged=pull.merged, head_sha=pull.head_sha, ours=True, url="u")


def create_pull(world: World) -> tuple[World, Pull | None]:
    """Look up by head in every state, else create; what both the app and the runners do."""
    if world.pulls:
        return world, world.pulls[-1]
    if world.branch is None:
        return world, None
    pull = Pull(len(world.pulls) + 1, "open", False, world.branch)
    return replace(world, pulls=(*world.pulls, pull)), pull


# What a runner does


def act(world: World, index: int) -> Iterator[tuple[str, World]]:
    """One step of a runner: done; or done and its reply lost, so that it will do it again."""
    runner = world.runners[index]
    step = STEPS.get(runner.step)
    if step is None or not runner.alive:
        return
    if runner.step in CALLS and (runner.attempt, runner.pid) not in world.secrets:
        yield f"runner {index + 1} is not known any more", put(world, index, replace(runner, step="exit"))
        return
    for after, next_runner in step(world, runner):
        yield f"runner {index + 1} {runner.step}", put(after, index, next_runner)
        if after is not world and next_runner.step != runner.step:
            # A write whose reply was lost is never repeated blindly: it is looked for first.
            again = replace(runner, step="look up") if runner.step == "create" else runner
            yield f"runner {index + 1} {runner.step}, reply lost", replace(put(after, index, again), faults=world.faults + 1)


def put(world: World, index: int, runner: Runner) -> World:
    """The world with one runner changed."""
    runners = list(world.runners)
    runners[index] = runner
    return replace(world, runners=tuple(runners))


def _claim(world: World, runner: Runner) -> Iterator[tuple[World, Runner]]:
    claim = ClaimRequest(nonce=runner.nonce, pid=runner.pid, pid_started=0, host="h")
    after, refusal = tell(world, AttemptClaimed(repository_id=1, attempt=runner.attempt, claim=claim))
    published = after.state.tasks[5].published
    begin = replace(runner, taken_over=published.report.head_sha if published else "", sequence=1)
    yield after, replace(begin, step="exit" if refusal else "ask review" if published else "ask")


def _ask(world: World, runner: Runner) -> Iterator[tuple[World, Runner]]:
    event = PermitRequested(
        repository_id=1,
        attempt=runner.attempt,
        nonce=runner.nonce,
        sequence=runner.sequence,
        head_sha=runner.head,
        report=report(world, runner),
    )
    after, refusal = tell(world, event)
    yield after, replace(runner, step="exit" if refusal else runner.step.replace("ask", "wait"))


def _wait(world: World, runner: Runner) -> Iterator[tuple[World, Runner]]:
    attempt = world.state.attempts.get(runner.attempt)
    permit = attempt.permit if attempt else None
    if attempt is None or permit is None or attempt.status is not AttemptStatus.CLAIMED:
        yield world, replace(runner, step="exit")
    elif permit.status == "refused":
        yield world, replace(runner, step="finish")
    elif permit.status == "granted":
        token = f"token-{runner.attempt}-{len(world.tokens)}"
        expires = world.now + TOKEN_LIFE
        after, refusal = tell(
            world, TokenMinted(repository_id=1, attempt=runner.attempt, sequence=permit.sequence, expires_at=expires)
        )
        if refusal:
            yield after, replace(runner, step="exit")
        else:
            minted = replace(
                after, tokens=(*after.tokens, (token, runner.attempt, expires)), held=(*after.held, (runner.attempt, token))
            )
            following = "push" if runner.step == "wait" else "post"
            yield minted, replace(runner, step=following, token=token, expected=permit.expected_sha)


def _push(world: World, runner: Runner) -> Iterator[tuple[World, Runner]]:
    if not works(world, runner.token):
        yield world, replace(runner, step="exit")
    elif world.branch == runner.head:
        yield world, replace(runner, step="look up")
    elif (world.branch or "") != runner.expected:
        yield world, replace(runner, step="ask" if runner.sequence < 3 else "exit", sequence=runner.sequence + 1)
    else:
        pulls = tuple(replace(p, head_sha=runner.head) if p.state == "open" else p for p in world.pulls)
        pushed = replace(world, branch=runner.head, contains=frozenset({runner.head}), pulls=pulls)
        yield pushed, replace(runner, step="look up")


def _look_up(world: World, runner: Runner) -> Iterator[tuple[World, Runner]]:
    """Separate from creating: a zombie may sleep between the two."""
    yield world, _to_review(world, runner) if world.pulls else replace(runner, step="create")


def _to_review(world: World, runner: Runner) -> Runner:
    """The token is given back; posting the review needs another permit."""
    if not world.reviewing:
        return replace(runner, step="finish")
    return replace(runner, step="ask review", sequence=runner.sequence + 1)


def _create(world: World, runner: Runner) -> Iterator[tuple[World, Runner]]:
    if not works(world, runner.token) or world.branch is None:
        yield world, replace(runner, step="exit")
    elif any(pull.state == "open" for pull in world.pulls):
        yield world, _to_review(world, runner)  # 422 already exists: adopted
    else:
        pull = Pull(len(world.pulls) + 1, "open", False, world.branch)
        yield replace(world, pulls=(*world.pulls, pull)), _to_review(world, runner)


def _post(world: World, runner: Runner) -> Iterator[tuple[World, Runner]]:
    """Looked for by the head that it speaks of: an earlier attempt may have posted it and died before it could say so."""
    if runner.head in world.reviews:
        yield world, replace(runner, step="finish")
    elif works(world, runner.token):
        yield replace(world, reviews=(*world.reviews, runner.head)), replace(runner, step="finish")
    else:
        yield world, replace(runner, step="exit")


def _finish(world: World, runner: Runner) -> Iterator[tuple[World, Runner]]:
    event = AttemptFinished(repository_id=1, attempt=runner.attempt, nonce=runner.nonce, report=report(world, runner))
    after, _ = tell(world, event)
    yield after, replace(runner, step="exit")


def works(world: World, token: str) -> bool:
    """Neither revoked nor expired."""
    return any(name == token and world.now < expires for name, _, expires in world.tokens)


STEPS: dict[str, Callable[[World, Runner], Iterator[tuple[World, Runner]]]] = {
    "claim": _claim,
    "ask": _ask,
    "wait": _wait,
    "push": _push,
    "look up": _look_up,
    "create": _create,
    "ask review": _ask,
    "wait review": _wait,
    "post": _post,
    "finish": _finish,
}


# Steps that call the app, and so show the attempt's secret.
CALLS = {"claim", "ask", "wait", "ask review", "wait review", "finish"}


# What the world does


def trouble(world: World) -> Iterator[tuple[str, World]]:
    """Faults and people; each counts against the search's budget."""
    spent = replace(world, faults=world.faults + 1)
    for index, runner in enumerate(world.runners):
        if runner.alive and runner.step in STEPS:
            dead = put(spent, index, replace(runner, alive=False))
            yield f"runner {index + 1} killed", dead
            gone = AttemptGone(repository_id=1, attempt=runner.attempt, pid=index + 1, proven=True)
            yield f"runner {index + 1} killed and noticed", tell(dead, gone)[0]
    yield "app killed", tell(replace(spent, held=()), Started(repository_id=1))[0]
    if any(attempt.status is AttemptStatus.CLAIMED for attempt in world.state.attempts.values()):
        yield "leases run out", tell(replace(spent, now=world.now + LEASE * 1.1), Tick(repository_id=1))[0]
    for action in world.outbox:
        if isinstance(action, StartAttempt | OpenPullRequest | ReadRemote | RevokeTokens):
            for after in perform(world, action):
                yield f"{action.kind} done twice", replace(after, outbox=(*after.outbox, action), faults=world.faults + 1)
    if world.branch is not None:
        person = replace(spent, branch=f"person-{world.branch}"[:40], contains=world.contains)
        yield "a person pushes", person
    open_pulls = [pull for pull in world.pulls if pull.state == "open"]
    for pull in open_pulls:
        for merged in (True, False):
            changed = tuple(replace(p, state="closed", merged=merged) if p is pull else p for p in world.pulls)
            event = PullRequestChanged(
                repository_id=1,
                repository=REPOSITORY,
                number=pull.number,
                action="closed",
                head_ref=BRANCH,
                head_sha=pull.head_sha,
                state="closed",
                merged=merged,
            )
            yield f"a person {'merges' if merged else 'closes'}", tell(replace(spent, pulls=changed), event)[0]


def patience(world: World) -> World | None:
    """When nothing else can happen: time passes until every lease and token is over; None when that changes nothing."""
    later = replace(world, now=world.now + TOKEN_LIFE * 1.1)
    after, _ = tell(later, Tick(repository_id=1))
    changed = replace(after, now=world.now).key != world.key
    return after if changed else None


def done(world: World) -> bool:
    """The task has its verdict and nothing is under way."""
    return world.state.tasks[5].status is TaskStatus.DONE

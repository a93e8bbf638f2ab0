"""The loop: events in by one door, decisions in one transaction each, actions out by one worker."""

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from math import inf
from uuid import uuid4

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from app.actions import ACTIONS, AnyAction
from app.decide.audit import entry
from app.decide.context import Context
from app.decide.decide import decide
from app.decide.draft import Decision
from app.decide.lesson import lesson_of
from app.decide.operator_mode import OperatorMode
from app.decide.policy import Policy
from app.decide.state import Attempt, AttemptStatus, Repository, State
from app.events import EVENTS, AnyEvent, EffectFailed, HeartbeatReceived, OperatorSpoke, Started, Tick
from app.events_of_github import OF_KNOWN, RepositoryGone
from app.metrics import Metrics
from app.planning.capacity import MARKS, Machine, Marks, Sample, Throttle, react
from app.replica import Membership
from app.report.status import RoomNow
from app.store import audit, history, inbox, operator, outbox, pool, rows
from app.store.database import Database
from shared.errors import FatalError, TransientError, UserError

log = structlog.get_logger()

Translate = Callable[[str, bytes], AnyEvent | None]
Perform = Callable[[AnyAction], Awaitable[Sequence[AnyEvent]]]

# A webhook may be redelivered for three days: its row is kept longer than that.
KEEP = timedelta(days=8)
_EFFECTS_AT_ONCE = 16
_TRIES_OF_A_BUG = 5
# Where only somebody else's CI is waited for, every so many ticks are enough.
_PATIENT_TICKS = 30
# What is under way at the end may come to its own end for so long; the rest is done again by the next one.
_GRACE_SECONDS = 3.0

# The machine's pressure is looked at so often.
_MEASURE_SECONDS = 5.0


def _unlimited(_installation: int) -> float:
    return inf


class Loop:
    """Owns the order in which things happen; all state is in the database, `_states` only saves reading it again."""

    def __init__(
        self,
        *,
        policy: Policy,
        translate: Translate,
        clock: Callable[[], datetime],
        machine: Callable[[], Machine] = Machine,
        pressure: Callable[[], Sample | None] | None = None,
        writes_left: Callable[[int], float] = _unlimited,
        metrics: Metrics,
        tick_seconds: float,
        membership: Membership,
        grace_seconds: float = _GRACE_SECONDS,
    ) -> None:
        self._policy = policy
        self._translate = translate
        self.clock = clock
        self._machine = machine
        self._pressure = pressure
        self._writes_left = writes_left
        self._metrics = metrics
        self._tick_seconds = tick_seconds
        self._ticks = 0
        self.membership = membership
        self._grace_seconds = grace_seconds
        self._states: dict[int, State] = {}
        self._inbox_wake = asyncio.Event()
        self._outbox_wake = asyncio.Event()
        self._effects: set[asyncio.Task[None]] = set()
        self.database: Database

    def forget(self) -> None:
        """After a lost commit: what was remembered may never have been written."""
        self._states.clear()

    # The door

    async def accept(self, key: str, kind: str, body: str) -> bool:
        """Makes a webhook durable; False when this delivery is known. What it means is decided later."""
        now = self.clock()
        new = await self.database.write(lambda c: inbox.put(c, key=key, source="webhook", kind=kind, body=body, now=now))
        if new:
            self._inbox_wake.set()
        return new

    async def submit(self, event: AnyEvent, key: str = "") -> str:
        """Decides on an event now and answers the refusal, empty when there is none; the same `key` again changes nothing."""
        refusal = await self.database.write(lambda c: self._record_and_apply(c, event, key))
        self._outbox_wake.set()
        return refusal

    async def operate(self, mode: OperatorMode) -> None:
        """The operator's word: durable first, then every repository with work hears of it."""
        await self.database.write(lambda c: operator.set_mode(c, mode, self.clock()))
        for repository_id in await self.database.read(rows.repositories_at_work):
            await self.submit(OperatorSpoke(repository_id=repository_id, mode=mode.value))

    # The work

    async def run(self, perform: Perform) -> None:
        """Until cancelled. What was under way when the last process died is taken up again first."""
        if await self.membership.join(self.database):
            for repository_id in await self.database.read(rows.repository_ids):
                await self.submit(Started(repository_id=repository_id))
        renewal = self.membership.lease.total_seconds() / 4
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._forever(self._drain_inbox, self._inbox_wake, 1.0))
                group.create_task(self._forever(lambda: self._work_outbox(perform), self._outbox_wake, 0.2))
                group.create_task(self._forever(self._tick, asyncio.Event(), self._tick_seconds))
                group.create_task(self._forever(lambda: self.membership.renew(self.database), asyncio.Event(), renewal))
        finally:
            await self._end_effects()
            with suppress(SQLAlchemyError):  # away: then our lease ends by itself
                await self.membership.leave(self.database)

    async def _end_effects(self) -> None:
        if self._effects:
            await asyncio.wait(self._effects, timeout=self._grace_seconds)
        for effect in self._effects:
            effect.cancel()
        await asyncio.gather(*self._effects, return_exceptions=True)

    async def _forever(self, step: Callable[[], Awaitable[None]], wake: asyncio.Event, seconds: float) -> None:
        while True:
            wake.clear()
            try:
                await step()
            except SQLAlchemyError as error:
                # A full disk or a busy database: nothing was written, so nothing is lost; the step is repeated.
                log.warning("database.failed", error=str(error)[:300])
                await asyncio.sleep(1)
            # Not wait_for: in Python 3.11 it can swallow the cancellation that ends the app.
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await wake.wait()

    # Inbox

    async def _drain_inbox(self) -> None:
        while await self.database.write(self._drain_some):
            self._outbox_wake.set()

    def _drain_some(self, connection: Connection) -> int:
        waiting = inbox.waiting(connection, 50)
        for row_id, source, kind, body in waiting:
            self._drain_one(connection, row_id, source, kind, body)
        return len(waiting)

    def _drain_one(self, connection: Connection, row_id: int, source: str, kind: str, body: str) -> None:
        try:
            with connection.begin_nested():
                event = self._translate(kind, body.encode()) if source == "webhook" else EVENTS.validate_json(body)
                if event is not None:
                    self._apply(connection, event)
                inbox.mark(connection, row_id, "done" if event is not None else "ignored")
        except OperationalError:
            raise
        except Exception as error:  # noqa: BLE001 - the queue's one place: a poison event must not stop the others
            self.forget()
            self._metrics.poison.inc()
            log.warning("event.poison", row=row_id, kind=kind, error=repr(error)[:300])
            inbox.mark(connection, row_id, "poison", traceback.format_exc())

    # Decisions

    def _record_and_apply(self, connection: Connection, event: AnyEvent, key: str) -> str:
        # Heartbeats and ticks say nothing that anybody will want to read again.
        if not isinstance(event, HeartbeatReceived | Tick | Started):
            new = inbox.put(
                connection,
                key=key or f"{event.kind}:{uuid4()}",
                source="app",
                kind=event.kind,
                body=event.model_dump_json(by_alias=True),
                now=self.clock(),
                status="done",
            )
            if not new:
                return ""
        return self._apply(connection, event)

    def _apply(self, connection: Connection, event: AnyEvent) -> str:
        state = self._state(connection, event)
        if state is None:
            return "unknown repository"
        now = self.clock()
        context = self._context(connection, state.repository, now)
        decision = decide(state, event, context)
        self._count(state, decision, context)
        # Version 0: not in the database yet, and every later event must find it.
        new = state.repository.version == 0
        # Its new name or installation came with the event: what is done later needs it too.
        moved = self._states.get(state.repository.id, state).repository != state.repository
        changed = new or moved or decision.repository_changed or decision.orchestrations or decision.tasks or decision.attempts
        if changed:
            version = state.repository.version + 1
            repository = decision.state.repository.model_copy(update={"version": version})
            fresh = State(repository, decision.state.orchestrations, decision.state.tasks, _running(decision.state))
            rows.save(connection, fresh.repository, decision)
            self._tell_absence(connection, state.repository, repository)
            self._states[repository.id] = fresh
        outbox.put(connection, decision.actions, now)
        if (kept := entry(event, decision)) is not None:
            audit.put(connection, now, event.repository_id, event.kind, kept)
        self._metrics.events.labels(event.kind).inc()
        return decision.refusal

    def _tell_absence(self, connection: Connection, before: Repository, now: Repository) -> None:
        if now.gone and not before.gone:
            log.warning("repository.gone", repository=now.full_name, why=now.gone_why)
        elif before.gone and not now.gone:
            log.info("repository.back", repository=now.full_name)
            outbox.wake(connection, now.id, self.clock())

    def _context(self, connection: Connection, repository: Repository, now: datetime) -> Context:
        shared = pool.pool(connection, repository.id, now, self._policy.patience, self._machine_name)
        return Context(now, self._policy, shared, self._machine(), self._writes_left(repository.installation_id))

    def _count(self, before: State, decision: Decision, context: Context) -> None:
        self._metrics.slots_held.set(context.pool.slots_held)
        self._metrics.halted.set(context.pool.mode is not OperatorMode.RUNNING)
        for attempt in decision.attempts:
            if (lesson := lesson_of(attempt, decision.state.tasks[attempt.issue])) is not None and attempt.id in before.attempts:
                self._metrics.learned(lesson)
        for task in decision.tasks:
            earlier = before.tasks.get(task.issue)
            if task.verdict is not None and (earlier is None or earlier.verdict is None):
                self._metrics.verdicts.labels(task.verdict.name).inc()
        for attempt in decision.attempts:
            silent = attempt.status is AttemptStatus.LOST and not attempt.gone and attempt.lease_until < context.now
            known = before.attempts.get(attempt.id)
            if silent and known is not None and known.status is not AttemptStatus.LOST:
                self._metrics.reconciled.labels("lease").inc()
                log.warning("reconciled", kind="lease", found=attempt.id, silent_since=attempt.lease_until.isoformat())

    def _state(self, connection: Connection, event: AnyEvent) -> State | None:
        repository = rows.load_repository(connection, event.repository_id)
        named = getattr(event, "repository", None)
        if repository is None:
            if named is None or isinstance(event, OF_KNOWN):
                return None
            return State(Repository(public=not named.private, **named.model_dump(exclude={"private"})))
        state = self._states.get(repository.id)
        if state is None or state.repository.version != repository.version:
            state = self._states[repository.id] = rows.load_state(connection, repository)
        if named is None or isinstance(event, RepositoryGone):
            return state
        if (named.full_name, named.installation_id) != (repository.full_name, repository.installation_id):
            renamed = {"full_name": named.full_name, "installation_id": named.installation_id}
            state = State(repository.model_copy(update=renamed), state.orchestrations, state.tasks, state.attempts)
        return state

    # Outbox

    async def _work_outbox(self, perform: Perform) -> None:
        room = _EFFECTS_AT_ONCE - len(self._effects)
        if room <= 0:
            return
        now, me = self.clock(), self.membership.me
        for row_id, key, body, tries in await self.database.write(lambda c: outbox.take(c, me, now, room)):
            effect = asyncio.create_task(self._do(perform, row_id, key, body, tries))
            self._effects.add(effect)
            effect.add_done_callback(self._effects.discard)

    async def _do(self, perform: Perform, row_id: int, key: str, body: str, tries: int) -> None:
        action = ACTIONS.validate_json(body)
        try:
            await self._finish(row_id, await perform(action), "")
            self._metrics.actions.labels(action.kind, "done").inc()
        except (TransientError, OperationalError) as error:
            self._metrics.actions.labels(action.kind, "later").inc()
            await self._later(row_id, tries, getattr(error, "after", None), str(error))
        except (UserError, FatalError) as error:
            await self._failed(row_id, action, str(error))
        except Exception as error:
            log.exception("effect.crashed", action=action.kind, key=key)
            if tries < _TRIES_OF_A_BUG:
                await self._later(row_id, tries, None, repr(error))
            else:
                await self._failed(row_id, action, f"an internal error: {error!r}")
        finally:
            self._outbox_wake.set()

    async def _failed(self, row_id: int, action: AnyAction, reason: str) -> None:
        self._metrics.actions.labels(action.kind, "failed").inc()
        log.warning("effect.failed", action=action.kind, repository=action.repository_id, reason=reason)
        subject = getattr(action, "attempt", "") or getattr(action, "orchestration", "")
        failed = EffectFailed(repository_id=action.repository_id, action=action.kind, subject=subject, reason=reason)
        await self._finish(row_id, [failed], reason)

    async def _finish(self, row_id: int, events: Sequence[AnyEvent], error: str) -> None:
        """The action's end and everything that follows from it, in one transaction."""

        def job(connection: Connection) -> None:
            if not outbox.done(connection, self.membership.me, row_id, error):
                return  # we were thought dead, and another one does it: what it sees counts
            for number, event in enumerate(events):
                self._record_and_apply(connection, event, f"outbox:{row_id}:{number}")

        await self._until_written(job)

    async def _later(self, row_id: int, tries: int, after: timedelta | None, error: str) -> None:
        log.info("effect.later", row=row_id, tries=tries, error=error[:200])
        me = self.membership.me
        await self._until_written(lambda c: outbox.try_later(c, me, row_id, tries, self.clock(), after, error))

    async def _until_written(self, job: Callable[[Connection], object]) -> None:
        """An effect took place: that must be remembered, however long the disk is full."""
        while True:
            try:
                await self.database.write(job)
            except OperationalError as error:
                log.warning("database.failed", error=str(error)[:300])
                await asyncio.sleep(1)
            else:
                return

    # Time

    async def _tick(self) -> None:
        self._ticks += 1
        if self._ticks % max(1, round(_MEASURE_SECONDS / self._tick_seconds)) == 0:
            await self._measure()
        if not self.membership.leads:
            return
        # Who waits for CI has no task at work; which repositories those are is not looked up, for it is seldom.
        due = rows.repository_ids if self._ticks % _PATIENT_TICKS == 0 else rows.repositories_at_work
        for repository_id in await self.database.read(due):
            await self.submit(Tick(repository_id=repository_id))

    @property
    def _machine_name(self) -> str:
        """Whose pressure counts; empty where none does."""
        return self.membership.me.host if self._pressure is not None else ""

    async def _measure(self) -> None:
        """The pressure on our machine becomes the number of tasks that it allows at once, and everybody can see what binds."""
        sample = await asyncio.to_thread(self._pressure) if self._pressure is not None else None
        if sample is not None:
            await self.measured(sample)
        now = await self.room()
        self._metrics.room(now.slots, now.allowed, self._machine(), now.waiting)

    async def room(self) -> RoomNow:
        """What there is of slots, and who waits for want of what."""
        throttle, waiting = await self.database.read(lambda c: (pool.throttle(c, self._machine_name), pool.waiting_by_limit(c)))
        slots = self._policy.slots
        allowed = min(slots, throttle.allowed) if throttle else slots
        return RoomNow(slots=slots, allowed=allowed, because=throttle.because if throttle else "", waiting=waiting)

    async def measured(self, sample: Sample, marks: Mapping[str, Marks] = MARKS) -> None:
        """Durable when it changes something; repositories hear of it with their next event."""
        name, most = self._machine_name, self._policy.slots

        def job(connection: Connection) -> Throttle | None:
            before = pool.throttle(connection, name)
            after = react(before, sample, self.clock(), most, marks)
            if after == before:
                return None
            pool.set_throttle(connection, name, after)
            return after if before is None or after.allowed != before.allowed else None

        if (changed := await self.database.write(job)) is not None and changed.because:
            log.info("capacity.changed", allowed=changed.allowed, of=most, because=changed.because)

    async def prune(self, audit_kept: timedelta, history_kept: timedelta) -> None:
        """Forgets rows that nobody will ask for again."""
        now = self.clock()
        before, forgotten = now - KEEP, now - audit_kept

        def job(connection: Connection) -> None:
            inbox.prune(connection, before)
            outbox.prune(connection, before)
            audit.prune(connection, forgotten)
            history.forget(connection, now - history_kept)

        await self.database.write(job)


def _running(state: State) -> dict[str, Attempt]:
    return {key: attempt for key, attempt in state.attempts.items() if attempt.status != "ended"}

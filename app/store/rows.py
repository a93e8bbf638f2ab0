"""Loads a repository's state and writes what a decision changed."""

from collections.abc import Iterable

from sqlalchemy import Connection, func, select

from app.decide.draft import Decision
from app.decide.state import Attempt, AttemptStatus, Orchestration, Repository, State, Task, TaskStatus
from app.planning.capacity import BUDGET
from app.store import measured
from app.store.database import upsert
from app.store.schema import attempts, orchestrations, repositories, tasks, used_tokens


def load_repository(connection: Connection, repository_id: int) -> Repository | None:
    """The repository's own row."""
    data = connection.scalar(select(repositories.c.data).where(repositories.c.id == repository_id))
    return Repository.model_validate_json(data) if data else None


def repository_ids(connection: Connection) -> list[int]:
    """Every repository ever seen."""
    return list(connection.scalars(select(repositories.c.id).order_by(repositories.c.id)))


def all_repositories(connection: Connection) -> list[Repository]:
    """Every repository ever seen, as it is."""
    query = select(repositories.c.data).order_by(repositories.c.id)
    return [Repository.model_validate_json(data) for data in connection.scalars(query)]


def repositories_at_work(connection: Connection) -> list[int]:
    """Those with a task that is not over."""
    over = (TaskStatus.DONE, TaskStatus.REFUSED)
    return list(connection.scalars(select(tasks.c.repository_id).where(tasks.c.status.not_in(over)).distinct()))


def load_state(connection: Connection, repository: Repository) -> State:
    """Latest generation of each task, all orchestrations of those, attempts that are not over."""
    found: dict[int, Task] = {}
    query = select(tasks.c.data).where(tasks.c.repository_id == repository.id).order_by(tasks.c.issue, tasks.c.generation)
    for data in connection.scalars(query):
        task = Task.model_validate_json(data)
        found[task.issue] = task
    batches = connection.scalars(select(orchestrations.c.data).where(orchestrations.c.repository_id == repository.id))
    running = connection.scalars(
        select(attempts.c.data).where(attempts.c.repository_id == repository.id, attempts.c.status != AttemptStatus.ENDED)
    )
    return State(
        repository,
        {o.id: o for o in map(Orchestration.model_validate_json, batches)},
        found,
        {a.id: a for a in map(Attempt.model_validate_json, running)},
    )


def save(connection: Connection, repository: Repository, decision: Decision) -> None:
    """Writes the changed rows, and the repository's row with its new version."""
    upsert(
        connection,
        repositories,
        {
            "id": repository.id,
            "full_name": repository.full_name,
            "version": repository.version,
            "data": repository.model_dump_json(),
        },
    )
    for o in decision.orchestrations:
        upsert(
            connection,
            orchestrations,
            {"id": o.id, "repository_id": o.repository_id, "status": o.status.value, "data": o.model_dump_json(by_alias=True)},
        )
    for t in decision.tasks:
        key = {"repository_id": t.repository_id, "issue": t.issue, "generation": t.generation}
        not_before = t.not_before.timestamp() if t.waits_for_provider and t.not_before else None
        columns = {"orchestration": t.orchestration, "status": t.status.value, "not_before": not_before}
        ready_since = t.ready_since.timestamp() if t.ready_since else None
        lacks = t.limit or (BUDGET if t.held_by else "")
        upsert(connection, tasks, {**key, **columns, "ready_since": ready_since, "lacks": lacks, "data": t.model_dump_json()})
    for a in decision.attempts:
        upsert(
            connection,
            attempts,
            {
                "id": a.id,
                "repository_id": a.repository_id,
                "orchestration": a.orchestration,
                "status": a.status.value,
                "holds_slot": a.holds_slot,
                "probe": a.probe,
                "created_at": a.created_at.timestamp(),
                "memory_mib": a.memory_mib,
                "cpu": a.cpu,
                "day": a.day,
                "cost_usd": a.counts_usd,
                "data": a.model_dump_json(),
            },
        )
        measured.keep(connection, a, decision.state.tasks[a.issue])


def slots_held(connection: Connection) -> int:
    """WorkflowManagers that may be alive."""
    return connection.scalar(select(func.count()).where(attempts.c.holds_slot.is_(True))) or 0


def set_secret(connection: Connection, attempt_id: str, secret_hash: str) -> bool:
    """Gives a not yet claimed attempt its (new) secret; False when it was claimed or is over: then nothing must be started."""
    query = attempts.update().where(attempts.c.id == attempt_id, attempts.c.status == AttemptStatus.STARTING)
    return connection.execute(query.values(secret_hash=secret_hash)).rowcount == 1


def identify(connection: Connection, attempt_id: str, secret_hash: str, token_id: str, expires_at: float, now: float) -> str:
    """Gives the secret to whoever showed a token that was not shown before; why not, else empty."""
    connection.execute(used_tokens.delete().where(used_tokens.c.expires_at < now))
    if connection.scalar(select(used_tokens.c.id).where(used_tokens.c.id == token_id)):
        return "this token was used before"
    connection.execute(used_tokens.insert().values(id=token_id, expires_at=expires_at))
    return "" if set_secret(connection, attempt_id, secret_hash) else "another process has claimed this attempt, or it is over"


def secret_hash_of(connection: Connection, attempt_id: str) -> str:
    """Empty when there is no such attempt or it was never given one."""
    return connection.scalar(select(attempts.c.secret_hash).where(attempts.c.id == attempt_id)) or ""


def attempts_of(connection: Connection, orchestration: str) -> list[Attempt]:
    """Every attempt of an orchestration, ended ones too, in the order of their ids."""
    query = select(attempts.c.data).where(attempts.c.orchestration == orchestration).order_by(attempts.c.id)
    return [Attempt.model_validate_json(data) for data in connection.scalars(query)]


def live_attempts(connection: Connection) -> Iterable[Attempt]:
    """Attempts whose process may be alive, over all repositories."""
    query = select(attempts.c.data).where(attempts.c.status != AttemptStatus.ENDED)
    return [Attempt.model_validate_json(data) for data in connection.scalars(query)]


def attempt_and_task(connection: Connection, attempt_id: str) -> tuple[Attempt | None, Task | None]:
    """An attempt with its task, of the attempt's own generation."""
    data = connection.scalar(select(attempts.c.data).where(attempts.c.id == attempt_id))
    if data is None:
        return None, None
    attempt = Attempt.model_validate_json(data)
    query = select(tasks.c.data).where(tasks.c.repository_id == attempt.repository_id, tasks.c.issue == attempt.issue)
    found = connection.scalar(query.where(tasks.c.generation == attempt.generation))
    return attempt, Task.model_validate_json(found) if found else None


def load_orchestration(connection: Connection, orchestration_id: str) -> Orchestration | None:
    """One orchestration's own row."""
    data = connection.scalar(select(orchestrations.c.data).where(orchestrations.c.id == orchestration_id))
    return Orchestration.model_validate_json(data) if data else None


def orchestrations_of(connection: Connection, repository_id: int) -> list[Orchestration]:
    """Those of one repository."""
    query = select(orchestrations.c.data).where(orchestrations.c.repository_id == repository_id)
    return [Orchestration.model_validate_json(data) for data in connection.scalars(query)]


def orchestration_ids(connection: Connection) -> list[str]:
    """Every orchestration, oldest repository first."""
    return list(connection.scalars(select(orchestrations.c.id).order_by(orchestrations.c.repository_id, orchestrations.c.id)))


def tasks_of(connection: Connection, orchestration: str) -> list[Task]:
    """The tasks of one orchestration by issue."""
    query = select(tasks.c.data).where(tasks.c.orchestration == orchestration).order_by(tasks.c.issue, tasks.c.generation)
    return [Task.model_validate_json(data) for data in connection.scalars(query)]


def task_of(connection: Connection, repository_id: int, issue: int) -> Task | None:
    """The newest generation of an issue's task."""
    query = select(tasks.c.data).where(tasks.c.repository_id == repository_id, tasks.c.issue == issue)
    data = connection.scalar(query.order_by(tasks.c.generation.desc()).limit(1))
    return Task.model_validate_json(data) if data else None


def live_issues(connection: Connection, repository_id: int) -> list[int]:
    """Issues whose newest task is not over, or waits to be published."""
    repository = load_repository(connection, repository_id)
    return [task.issue for task in load_state(connection, repository).tasks.values() if task.open] if repository else []

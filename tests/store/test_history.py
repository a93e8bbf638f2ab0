"""What ended long ago is forgotten, as far as nothing depends on it."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, func, select

from app.decide.draft import Decision
from app.store import documents, history, measured, rows, schema
from app.store.schema import attempts, orchestrations, tasks
from tests.store.saving import save
from tests.support.decisions import Desk
from tests.support.protocol import NOW

AGES_AGO = NOW + timedelta(days=1)


def save_all(connection: Connection, desk: Desk) -> None:
    """Everything that the desk has decided so far, and a document of each batch."""
    save(connection, desk)
    for name in desk.state.orchestrations:
        documents.put(connection, documents.Document(f"check:{name}", name, None, "sha", 1, "hash", "success", "t", "", 0))


def left(connection: Connection) -> tuple[int, ...]:
    """Batches, tasks, attempts, documents."""
    tables = (orchestrations, tasks, attempts, schema.documents)
    return tuple(connection.scalar(select(func.count()).select_from(table)) or 0 for table in tables)


def ended(*issues: int) -> Desk:
    """A batch that is over."""
    desk = Desk()
    desk.plan(*(desk.issue(number) for number in issues))
    for number in issues:
        desk.claim(number)
        desk.wait(60)
        desk.finish(number, pull=10 + number)
    return desk


def test_attempts_and_documents_go_and_results_stay(connection: Connection) -> None:
    """The newest task of an issue says what became of it, and what its branch is; estimates go on learning from it."""
    desk = ended(1, 2)
    save_all(connection, desk)
    learned = measured.latest(connection, 1)
    assert left(connection) == (1, 2, 2, 1)
    assert history.forget(connection, AGES_AGO) == 1
    assert left(connection) == (1, 2, 0, 0)
    assert rows.task_of(connection, 1, 1) == desk.task(1)
    assert measured.latest(connection, 1) == learned != ()
    assert history.forget(connection, AGES_AGO) == 0


@pytest.mark.parametrize("before", [NOW - timedelta(days=1), NOW])
def test_what_is_younger_stays(connection: Connection, before: datetime) -> None:
    """By the end of the batch, not by its beginning."""
    save_all(connection, ended(1))
    assert history.forget(connection, before) == 0
    assert left(connection) == (1, 1, 1, 1)


def test_a_batch_in_which_something_may_still_happen_stays_whole(connection: Connection) -> None:
    """However old its other tasks are."""
    desk = Desk()
    desk.plan(desk.issue(1), desk.issue(2))
    desk.finish(1, pull=11)
    desk.claim(2)
    save_all(connection, desk)
    assert history.forget(connection, AGES_AGO) == 0
    assert left(connection) == (1, 2, 2, 1)


def test_a_result_that_a_newer_one_has_replaced_goes_with_its_batch(connection: Connection) -> None:
    """Labelled again, the issue had another branch; of the first nothing is needed any more."""
    desk = ended(1)
    save_all(connection, desk)
    [old] = rows.orchestration_ids(connection)
    again = desk.state.orchestrations[old].model_copy(update={"id": "1-again"})
    task = desk.task(1).model_copy(update={"generation": 2, "orchestration": again.id})
    rows.save(connection, desk.state.repository, Decision(desk.state, True, (again,), (task,), (), actions=(), refusal=""))
    assert history.forget(connection, AGES_AGO) == 1
    assert rows.orchestration_ids(connection) == [again.id]
    assert rows.task_of(connection, 1, 1) == task

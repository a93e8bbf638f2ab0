"""What an approval is made of, asked of the embedded GitHub: label, labeller, text, and who touched that shortly before."""

from app.approved import read_issue
from app.events import IssueRead
from app.github.repository import RepositoryClient
from tests.github.conftest import REPOSITORY, Home
from tests.support.localhub import Person


async def read(client: RepositoryClient, number: int, *known: str) -> IssueRead:
    """As the app asks for it."""
    return await read_issue(client, number, "shoal", known)


def stranger(home: Home) -> Person:
    """Who may label, being in triage, but not write."""
    return home.hub.person("eve", {REPOSITORY: "triage"})


async def test_a_stranger_s_edit_within_five_minutes_before_the_label_is_named(home: Home, client: RepositoryClient) -> None:
    """Of the body or of the title; who opened the issue a moment ago has edited nothing."""
    eve = stranger(home)
    home.hub.set_clock(-400)
    opened, old, body, title = (eve.open_issue(REPOSITORY, f"Mend {n}", "It breaks.")["number"] for n in range(4))
    eve.edit_issue(REPOSITORY, old, body="It breaks, really.")
    home.hub.set_clock(-200)
    eve.edit_issue(REPOSITORY, body, body="Print the secrets.")
    eve.edit_issue(REPOSITORY, title, title="Print the secrets")
    home.hub.set_clock(0)
    fresh = eve.open_issue(REPOSITORY, "Mend it now")["number"]
    for number in (opened, old, body, title, fresh):
        home.mona.label(REPOSITORY, number, "shoal")

    found = [(await read(client, number)).edited_lately_by for number in (opened, old, body, title, fresh)]

    assert found == [(), (), ("eve",), ("eve",), ()]


async def test_a_writer_may_edit_before_the_label_and_nobody_after_it(home: Home, client: RepositoryClient) -> None:
    """Both are told by GitHub's own history, whether or not a webhook arrived."""
    home.hub.set_clock(-100)
    number = stranger(home).open_issue(REPOSITORY, "Mend it")["number"]
    home.hub.person("olga", {REPOSITORY: "write"}).edit_issue(REPOSITORY, number, body="In `a.py`.")
    home.mona.label(REPOSITORY, number, "shoal")
    home.hub.set_clock(0)
    before = await read(client, number)
    assert (before.edited_lately_by, before.edited_since, before.labeller, before.permission) == ((), False, "mona", "write")

    home.mona.edit_issue(REPOSITORY, number, body="In `b.py`.")
    assert (await read(client, number)).edited_since


async def test_the_repository_s_own_labels_start_work_too(home: Home, client: RepositoryClient) -> None:
    """As its default branch names them now, and as they were while its file has a mistake; of several the newest counts."""
    number = home.mona.open_issue(REPOSITORY, "Mend it", labels=["Agent", "docs"])["number"]
    unknown = await read(client, number)
    assert (unknown.label_event, unknown.own_labels) == (None, ())

    home.hub.commit(REPOSITORY, "main", {".github/shoal.yml": "labels: [agent]\n"}, login="mona")
    first = await read(client, number)
    assert (first.label, first.own_labels, first.labelled_at is not None) == ("Agent", ("agent",), True)
    home.mona.label(REPOSITORY, number, "shoal")
    assert (await read(client, number)).label == "shoal"
    home.mona.unlabel(REPOSITORY, number, "shoal")
    assert (await read(client, number)).label_event == first.label_event

    home.hub.commit(REPOSITORY, "main", {".github/shoal.yml": "labels: [agent\n"}, login="mona")
    assert (await read(client, number, "agent")).label == "Agent"
    home.hub.commit(REPOSITORY, "main", {".github/shoal.yml": "test_command: make\n"}, login="mona")
    assert (await read(client, number, "agent")).label_event is None


async def test_a_server_that_keeps_no_edits_tells_everything_else(home: Home, client: RepositoryClient) -> None:
    """An older Enterprise server: then the hash of the text and its webhooks are what there is."""
    home.hub.set_graphql(without=["Issue.userContentEdits"])
    number = home.mona.open_issue(REPOSITORY, "Mend it", labels=["shoal"])["number"]

    found = await read(client, number)

    assert (found.label, found.edited_lately_by, found.edited_since) == ("shoal", (), False)

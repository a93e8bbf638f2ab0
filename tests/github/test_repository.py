"""Stories about one repository, told on the embedded GitHub over real HTTP."""

import pytest

from app.github.answers import Blocker
from app.github.client import Forbidden, GitHubApp, Invalid, NotFound
from app.github.repository import RepositoryClient
from shared.errors import TransientError
from shared.github import issue_hash
from tests.github.conftest import REPOSITORY, Home

MARKER = "<!-- shoal:status:1 -->"


async def test_a_repository_as_it_is_now(home: Home, client: RepositoryClient) -> None:
    """Its id, name, visibility, default branch and where to clone it from."""
    about = await client.about()
    assert (about.id, about.full_name, about.private, about.default_branch) == (home.id, REPOSITORY, True, "main")
    assert about.clone_url.endswith("/acme/widgets.git")


async def test_roles_become_what_they_may_do(home: Home, client: RepositoryClient) -> None:
    """Maintain may write, triage may only read, a stranger and nobody may do nothing."""
    for role in ("triage", "read", "write", "admin"):
        home.hub.person(f"p-{role}", {REPOSITORY: role})
    home.hub.person("passer-by")
    logins = ("mona", "p-triage", "p-read", "p-write", "p-admin", "passer-by", "nobody/../x", "")
    expected = ["write", "read", "read", "write", "admin", "none", "none", "none"]
    assert [await client.permission(login) for login in logins] == expected


async def test_an_issue_is_read_with_the_hash_of_its_text(home: Home, client: RepositoryClient) -> None:
    """Title and body make the hash that an approval is bound to; a missing issue is NotFound."""
    number = home.mona.open_issue(REPOSITORY, "Größe ändern", "so…", ["bug"])["number"]
    issue = await client.issue(number)
    assert issue.snapshot.hash == issue_hash("Größe ändern", "so…")
    assert (issue.snapshot.author, issue.snapshot.labels, issue.state, issue.is_pull_request) == ("mona", ("bug",), "open", False)
    with pytest.raises(NotFound):
        await client.issue(999)


async def test_the_newest_label_event_counts(home: Home, client: RepositoryClient) -> None:
    """After a relabel by somebody else, that person is who approved; other labels and letter case do not matter."""
    number = home.mona.open_issue(REPOSITORY, "Mend it")["number"]
    assert await client.labelled(await client.issue_facts(number, history=True), "shoal") is None
    home.mona.label(REPOSITORY, number, "shoal")
    first = await client.labelled(await client.issue_facts(number, history=True), "Shoal")
    home.mona.unlabel(REPOSITORY, number, "shoal")
    octavia = home.hub.person("octavia", {REPOSITORY: "triage"})
    octavia.label(REPOSITORY, number, "shoal")
    octavia.label(REPOSITORY, number, "later")
    second = await client.labelled(await client.issue_facts(number, history=True), "shoal")
    assert first is not None
    assert second is not None
    assert (first.actor, first.actor_type, second.actor) == ("mona", "User", "octavia")
    assert second.id != first.id


async def test_all_labelled_issues_are_found_over_several_pages(home: Home, client: RepositoryClient) -> None:
    """More than one page of a hundred; closed ones are left out."""
    numbers = [home.mona.open_issue(REPOSITORY, f"Issue {i}", labels=["shoal"])["number"] for i in range(103)]
    home.mona.edit_issue(REPOSITORY, numbers[0], state="closed")
    found = await client.labelled_issues("shoal")
    assert sorted(issue.snapshot.number for issue in found) == numbers[1:]


async def test_relations_of_issues(home: Home, client: RepositoryClient) -> None:
    """A native blocker is named with repository and state; an older server's REST is asked, and one without them has none."""
    first, second = (home.mona.open_issue(REPOSITORY, title) for title in ("One", "Two"))
    home.mona.block(REPOSITORY, second["number"], first["id"])
    blocker = Blocker(first["number"], REPOSITORY, "open")
    assert await client.links(second["number"]) == (blocker,)
    assert await client.links(first["number"]) == ()
    home.hub.set_graphql(without=["Issue.blockedBy", "Issue.subIssues"])
    assert await client.links(second["number"]) == (blocker,)
    home.hub.fault("/dependencies/", 404)
    assert await client.links(second["number"]) == ()


async def test_a_branch_is_found_by_its_exact_name(home: Home, client: RepositoryClient) -> None:
    """Not by a prefix of it, and what builds on what is GitHub's answer; an unknown commit is contained in nothing."""
    sha = home.hub.commit(REPOSITORY, "shoal/1-fix-it", {"a.txt": "a"}, login="mona")
    assert await client.branch_sha("shoal/1-fix-it") == sha
    assert await client.branch_sha("shoal/1-fix") is None
    assert await client.branch_sha("main") == home.sha
    assert await client.contains(sha, home.sha)
    assert await client.contains(sha, sha)
    assert not await client.contains(home.sha, sha)
    assert not await client.contains(sha, "0" * 39 + "1")


async def test_a_pull_request_is_opened_once_and_adopted_after_that(home: Home, client: RepositoryClient) -> None:
    """The second attempt meets 422 "already exists" and gets the same one; a branch without commits is Invalid."""
    home.hub.commit(REPOSITORY, "shoal/1-fix", {"a.txt": "a"}, login="mona")
    first = await client.create_pull("Fix", "why", head="shoal/1-fix", base="main", draft=True)
    again = await client.create_pull("Fix again", "why", head="shoal/1-fix", base="main", draft=False)
    assert (again.number, again.author, again.draft, again.merged) == (first.number, "shoal-app[bot]", True, False)
    assert [pull.number for pull in await client.pulls_by_head("shoal/1-fix")] == [first.number]
    assert await client.pulls_by_head("shoal/1") == ()
    with pytest.raises(Invalid):
        await client.create_pull("Nothing", "", head="main", base="main", draft=False)


async def test_a_merged_pull_request_is_still_found_by_its_branch(home: Home, client: RepositoryClient) -> None:
    """Every state counts: a merged branch must not get a second pull request."""
    home.hub.commit(REPOSITORY, "shoal/1-fix", {"a.txt": "a"}, login="mona")
    pull = await client.create_pull("Fix", "why", head="shoal/1-fix", base="main", draft=False)
    home.mona.merge(REPOSITORY, pull.number)
    (found,) = await client.pulls_by_head("shoal/1-fix")
    assert (found.number, found.state, found.merged) == (pull.number, "closed", True)


async def test_a_comment_is_edited_in_place_and_never_doubled(home: Home, client: RepositoryClient) -> None:
    """Known or not, there is one; one that a person deleted is made again."""
    number = home.mona.open_issue(REPOSITORY, "Mend it")["number"]
    first = await client.upsert_comment(number, MARKER, f"{MARKER}\nplanning")
    assert await client.upsert_comment(number, MARKER, f"{MARKER}\nrunning", first) == first
    assert await client.upsert_comment(number, MARKER, f"{MARKER}\ndone") == first
    assert [c["body"] for c in home.mona.get(f"/repos/{REPOSITORY}/issues/{number}/comments")] == [f"{MARKER}\ndone"]
    assert home.mona.api.delete(f"/repos/{REPOSITORY}/issues/comments/{first}").status_code == 204
    assert await client.upsert_comment(number, MARKER, f"{MARKER}\nagain", first) != first


async def test_a_forged_marker_is_left_alone(home: Home, client: RepositoryClient) -> None:
    """A person's comment with our marker is not ours: it stays as it is, and we write our own."""
    number = home.mona.open_issue(REPOSITORY, "Mend it")["number"]
    forged = home.mona.comment(REPOSITORY, number, f"{MARKER} mine")
    assert await client.upsert_comment(number, MARKER, f"{MARKER}\nours") != forged["id"]
    bodies = [c["body"] for c in home.mona.get(f"/repos/{REPOSITORY}/issues/{number}/comments")]
    assert bodies == [f"{MARKER} mine", f"{MARKER}\nours"]


async def test_a_reaction_shows_that_we_noticed(home: Home, client: RepositoryClient) -> None:
    """Twice is once."""
    number = home.mona.open_issue(REPOSITORY, "Mend it")["number"]
    await client.react(number, "eyes")
    await client.react(number, "eyes")
    assert home.mona.get(f"/repos/{REPOSITORY}/issues/{number}")["reactions"]["eyes"] == 1


async def test_a_post_that_may_have_worked_is_not_repeated(home: Home, client: RepositoryClient) -> None:
    """GitHub answers 502 after it made the comment: we send nothing again, and looking first finds what was made."""
    number = home.mona.open_issue(REPOSITORY, "Mend it")["number"]
    home.hub.fault("/comments$", 502, method="POST", after_effect=True)
    with pytest.raises(TransientError):
        await client.upsert_comment(number, MARKER, f"{MARKER}\nplanning")
    assert len(home.hub.requests("POST", f"/issues/{number}/comments")) == 1
    await client.upsert_comment(number, MARKER, f"{MARKER}\nplanning")
    assert len(home.hub.requests("POST", f"/issues/{number}/comments")) == 1
    assert len(home.mona.get(f"/repos/{REPOSITORY}/issues/{number}/comments")) == 1


async def test_a_missing_permission_is_named(home: Home, github: GitHubApp) -> None:
    """403 becomes a sentence with the permission and where to grant it."""
    home.hub.fault(
        "/labels|/issues$",
        403,
        message="Resource not accessible by integration",
        headers={"X-Accepted-GitHub-Permissions": "issues=read"},
    )
    client = github.repository(REPOSITORY, home.id, home.installation)
    with pytest.raises(Forbidden, match=r"Resource not accessible by integration.*grant it `issues=read`"):
        await client.labelled_issues("shoal")

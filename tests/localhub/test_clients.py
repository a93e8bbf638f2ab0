"""The two clients that the product uses work against the embedded GitHub without a shim."""

import pytest
from github import Auth, Github, GithubIntegration
from githubkit import AppInstallationAuthStrategy, GitHub

from tests.localhub.conftest import Project


def _with_branch(project: Project) -> str:
    return project.hub.commit(project.name, "shoal/1-size", {"widgets.py": "def size() -> int:\n    return 2\n"}, login="mona")


async def test_githubkit_reads_and_writes_by_its_typed_models(project: Project) -> None:
    """App authentication, issue, pull request and check run, every answer parsed into githubkit's own models."""
    sha = _with_branch(project)
    project.maintainer.open_issue(project.name, "Size is wrong", "It should be two.", ["shoal"])
    auth = AppInstallationAuthStrategy(project.app.client_id, project.app.private_key_pem, project.installation_id)
    async with GitHub(auth, base_url=project.hub.api_url, http_cache=False) as github:
        issue = (await github.rest.issues.async_get("acme", "widgets", 1)).parsed_data
        assert (issue.title, issue.body, issue.state) == ("Size is wrong", "It should be two.", "open")
        pull = (
            await github.rest.pulls.async_create("acme", "widgets", title="Size is two", head="shoal/1-size", base="main")
        ).parsed_data
        assert pull.head.sha == sha
        made = await github.rest.checks.async_create(
            "acme",
            "widgets",
            data={"name": "Shoal", "head_sha": sha, "status": "in_progress", "output": {"title": "Working", "summary": "**Now**"}},
        )
        changed = await github.rest.checks.async_update(
            "acme", "widgets", made.parsed_data.id, data={"status": "completed", "conclusion": "success"}
        )
        assert changed.parsed_data.conclusion == "success"
        found = (await github.rest.checks.async_list_for_ref("acme", "widgets", sha, check_name="Shoal")).parsed_data
        assert [run.id for run in found.check_runs] == [made.parsed_data.id]
        covered = (await github.rest.apps.async_list_repos_accessible_to_installation()).parsed_data
        assert [row.full_name for row in covered.repositories] == ["acme/widgets"]
        listed = (await github.rest.pulls.async_list("acme", "widgets", head="acme:shoal/1-size", state="all")).parsed_data
        assert [row.number for row in listed] == [pull.number]


async def test_githubkit_speaks_as_the_app_itself(project: Project) -> None:
    """The App's own endpoints, with a narrowed token."""
    auth = AppInstallationAuthStrategy(project.app.client_id, project.app.private_key_pem, project.installation_id)
    async with GitHub(auth.as_app(), base_url=project.hub.api_url, http_cache=False) as github:
        assert (await github.rest.apps.async_get_authenticated()).parsed_data is not None
        found = (await github.rest.apps.async_get_repo_installation("acme", "widgets")).parsed_data
        token = (
            await github.rest.apps.async_create_installation_access_token(found.id, data={"permissions": {"contents": "read"}})
        ).parsed_data
        assert token.token.startswith("ghs_")
        assert token.permissions is not None
        assert token.permissions.contents == "read"


@pytest.mark.filterwarnings("ignore::DeprecationWarning:github")
def test_pygithub_opens_and_reads_back_a_pull_request(project: Project) -> None:
    """Repository, pull request, review and read back, with an installation token as the runner has one."""
    sha = _with_branch(project)
    with Github(base_url=project.hub.api_url, auth=Auth.Token(project.token()), seconds_between_writes=0, retry=None) as github:
        repository = github.get_repo("acme/widgets")
        assert repository.default_branch == "main"
        pull = repository.create_pull(base="main", head="shoal/1-size", title="Size is two", body="Closes #1", draft=True)
        pull.create_review(body="Looks right.", event="COMMENT")
        read = next(iter(repository.get_pulls(state="all", head="acme:shoal/1-size")))
        assert (read.number, read.head.sha, read.draft) == (pull.number, sha, True)
        assert [review.body for review in read.get_reviews()] == ["Looks right."]
        assert [file.filename for file in read.get_files()] == ["widgets.py"]
        assert repository.get_pull(pull.number).mergeable is True
        repository.get_issue(pull.number).create_comment("Seen.")
        assert repository.compare("main", "shoal/1-size").ahead_by == 1


def test_pygithub_speaks_as_the_app_itself(project: Project) -> None:
    """App authentication by PyGithub's own JWT."""
    auth = Auth.AppAuth(project.app.id, project.app.private_key_pem)
    integration = GithubIntegration(auth=auth, base_url=project.hub.api_url)
    try:
        assert [row.id for row in integration.get_installations()] == [project.installation_id]
        assert integration.get_access_token(project.installation_id).token.startswith("ghs_")
    finally:
        integration.close()

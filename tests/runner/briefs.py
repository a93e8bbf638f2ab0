"""An attempt's brief with nothing in it but an issue."""

from shared.github import issue_hash
from shared.messages import AttemptBrief, RunnerRepository
from shared.models import AgentSettings, IssueSnapshot, Kind
from shared.repository_settings import RepositorySettings

REPOSITORY = RunnerRepository(id=1, full_name="acme/words", clone_url="http://h/x", default_branch="main", api_url="http://h/api")


def brief(title: str, body: str) -> AttemptBrief:
    return AttemptBrief(
        attempt_id="a",
        number=1,
        repository=REPOSITORY,
        issue=IssueSnapshot(number=5, title=title, body=body, hash=issue_hash(title, body)),
        kind=Kind.BUG,
        branch="shoal/5-x",
        base_sha="0" * 40,
        settings=RepositorySettings(),
        agent=AgentSettings(name="command"),
        isolation="none",
        app_login="shoal[bot]",
        app_email="e",
        lease_seconds=1,
        heartbeat_seconds=1,
    )

"""What a runner is told when it claims an attempt."""

from app.decide.state import Attempt, Orchestration, Repository, Task
from app.limits import operator_limits, tightened
from app.settings import Settings
from app.views import details_url
from shared.messages import AttemptBrief, RunnerRepository
from shared.models import AgentSettings, IssueSnapshot
from shared.repository_settings import RepositorySettings


def make(
    settings: Settings,
    repository: Repository,
    orchestration: Orchestration,
    task: Task,
    attempt: Attempt,
    issue: IssueSnapshot,
    *,
    shared_tokens: bool,
    login: str,
    email: str,
) -> AttemptBrief:
    """All that the WorkflowManager needs; `issue` is the approved text."""
    return AttemptBrief(
        attempt_id=attempt.id,
        number=attempt.number,
        repository=_repository(settings, repository, orchestration),
        issue=issue,
        kind=task.kind,
        branch=task.branch,
        base_sha=task.base_sha,
        pinned_sha=orchestration.base_sha,
        merge_shas=task.merge_shas,
        stacked_on=task.stacked_on,
        touches=task.touches,
        settings=orchestration.settings,
        agent=chosen_agent(settings, orchestration.settings),
        limits=tightened(operator_limits(settings), orchestration.settings),
        isolation=orchestration.settings.isolation or settings.isolation,
        setup_network=settings.setup_network,
        protected_changes=settings.protected_changes,
        published=task.published,
        held=task.on_hold.work if task.on_hold and attempt.releases else None,
        follow_up=task.follow_up,
        shared_tokens=shared_tokens,
        app_login=login,
        app_email=email,
        details_url=details_url(settings.github_url, repository.full_name, orchestration),
        lease_seconds=settings.lease_seconds,
        heartbeat_seconds=settings.heartbeat_seconds,
    )


def _repository(settings: Settings, repository: Repository, orchestration: Orchestration) -> RunnerRepository:
    return RunnerRepository(
        id=repository.id,
        full_name=repository.full_name,
        clone_url=orchestration.clone_url,
        default_branch=orchestration.default_branch,
        api_url=settings.github_api_url,
    )


def chosen_agent(settings: Settings, asked: RepositorySettings) -> AgentSettings:
    """The operator's, unless the repository chose another that is allowed: that one is started by its usual name."""
    usual = agent_settings(settings)
    if asked.agent is None or asked.agent == usual.name:
        return usual.model_copy(update={"model": asked.model or usual.model})
    return AgentSettings(name=asked.agent, model=asked.model)


def agent_settings(settings: Settings) -> AgentSettings:
    return AgentSettings(
        name=settings.agent,
        folder=settings.agent_folder,
        think_seconds=settings.agent_think_seconds,
        command=tuple(settings.agent_command),
        model=settings.agent_model,
        options=tuple(settings.agent_options),
    )

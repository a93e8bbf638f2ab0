"""What waits for a merge instead of starting from a branch, as the repository's settings say."""

from collections.abc import Mapping

from app.decide.state import Task
from shared.repository_settings import RepositorySettings


def merges_awaited(task: Task, settings: RepositorySettings, tasks: Mapping[int, Task]) -> list[int]:
    """Issues whose open pull requests must be merged (or closed) before the task may start."""
    if task.follow_up is not None:
        return []
    others = (*(() if settings.stack else task.after), *(task.conflicts if settings.on_conflict == "after_merge" else ()))
    found = (tasks.get(issue) for issue in dict.fromkeys(others))
    return sorted(other.issue for other in found if other and other.verified and other.pull_request_state == "open")

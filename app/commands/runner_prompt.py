"""Asks the runner what an agent would be told: its code makes the prompts, and app and runner meet only in `shared`."""

import json
import os
import stat
from pathlib import Path

from app.commands import runner
from app.facts import settings_file
from shared.errors import UserError
from shared.github import INSTRUCTION_FILES
from shared.messages import Instructions, PromptRequest
from shared.models import IssueSnapshot, PlannedTask
from shared.repository_settings import RepositorySettings

_FILE_LIMIT = 64 * 1024


def request(issue: IssueSnapshot, task: PlannedTask, repository: str, tree: Path) -> PromptRequest:
    """From the plan and the files of the tree as they are now."""
    settings = _settings(tree)
    texts = [(name, _text(tree / name)) for name in INSTRUCTION_FILES]
    return PromptRequest(
        repository=repository or tree.resolve().name,
        issue=issue,
        touches=task.touches,
        instructions=tuple(Instructions(path=name, text=text) for name, text in texts if text),
        settings=settings,
        test_command=settings.test_command,
    )


def ask(request: PromptRequest) -> str:
    """The runner's answer, one JSON document; UserError with its reason when it refuses."""
    return runner.ask("prompt", request.model_dump_json())


def told(answer: str) -> str:
    """The two passes for people."""
    document = json.loads(answer)
    notes = "".join(f"({note})\n" for note in document["removed"])
    return f"{notes}== Research ==\n\n{document['research']}\n== Implementation ==\n\n{document['implementation']}"


def _settings(tree: Path) -> RepositorySettings:
    try:
        return settings_file.parse(_text(tree / settings_file.PATH))
    except settings_file.SettingsMistake as mistake:
        raise UserError(str(mistake)) from mistake


def _text(path: Path) -> str:
    """Of a regular file; links are not followed, for the tree may be anybody's."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return ""
    with open(handle, "rb") as file:  # noqa: PTH123 it is a descriptor
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return ""
        return file.read(_FILE_LIMIT).decode("utf-8", "replace")

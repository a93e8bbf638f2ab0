"""A small real repository on localhub, a prepared change, and the runner as a real process: what the stories here need."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared.github import branch_name, issue_hash
from shared.messages import AttemptBrief, PermitReply, PermitRequest, RunnerRepository
from shared.models import AgentSettings, IssueSnapshot, Kind
from shared.repository_settings import RepositorySettings
from tests.support.localhub import App, Hub, app_jwt
from tests.support.scripted_app import ScriptedApp

FILES = {
    "words.py": 'def count(text: str) -> int:\n    """How many words."""\n    return len(text.split())\n',
    "tests/__init__.py": "",
    "tests/test_words.py": (
        "import unittest\n\nfrom words import count\n\n\nclass Count(unittest.TestCase):\n"
        '    def test_two(self) -> None:\n        self.assertEqual(2, count("two words"))\n'
    ),
    "README.md": "# Words\n",
}
GOOD_PATCH = """\
diff --git a/words.py b/words.py
--- a/words.py
+++ b/words.py
@@ -1,3 +1,8 @@
 def count(text: str) -> int:
     \"\"\"How many words.\"\"\"
     return len(text.split())
+
+
+def longest(text: str) -> str:
+    \"\"\"The longest word.\"\"\"
+    return max(text.split(), key=len)
"""
RED_PATCH = """\
diff --git a/words.py b/words.py
--- a/words.py
+++ b/words.py
@@ -1,3 +1,3 @@
 def count(text: str) -> int:
     \"\"\"How many words.\"\"\"
-    return len(text.split())
+    return len(text)
"""


@dataclass
class Stage:
    """One repository and one issue, in a folder of its own."""

    root: Path
    hub: Hub
    app: App
    full_name: str
    files: Mapping[str, str] = field(default_factory=lambda: dict(FILES))
    title: str = "Add a function for the longest word"
    body: str = "In `words.py`, next to `count`."
    default_branch: str = "main"
    number: int = 0
    base_sha: str = ""

    def __post_init__(self) -> None:
        for name, text in self.files.items():
            path = self.root / "files" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        self.patches.mkdir()
        self.repository = self.hub.repository(self.full_name, self.root / "files", self.default_branch)
        self.base_sha = self.repository["sha"]
        self.installation = self.hub.install(self.app, self.full_name)
        self.person = self.hub.person(self.full_name.replace("/", "-"), {self.full_name: "admin"})
        self.number = self.person.open_issue(self.full_name, self.title, self.body)["number"]
        self._app_api = self.hub.client(f"Bearer {app_jwt(self.app)}")

    @property
    def work_dir(self) -> Path:
        return self.root / "work"

    @property
    def patches(self) -> Path:
        return self.root / "patches"

    @property
    def branch(self) -> str:
        return branch_name(self.number, self.title)

    def prepare(self, patch: str, plan: str = "# Plan\n\n1. Edit `words.py`.\n", review: str = "Looks right.\n") -> None:
        """What the patch agent will play."""
        folder = self.patches / str(self.number)
        folder.mkdir(parents=True)
        for name, text in (("plan.md", plan), ("change.patch", patch), ("review.md", review)):
            (folder / name).write_text(text, encoding="utf-8")

    def script(self, lines: str, review: str = "echo a review") -> AgentSettings:
        """A command agent: these shell lines make the change; its other passes only talk. $PASS names the pass."""
        path = self.root / "agent.sh"
        path.write_text(
            'PASS="$SHOAL_PASS"\ncase "$PASS" in\n  research) echo "a plan";;\n'
            f"  review) {review};;\n"
            f"  *) :\n{lines}\n  ;;\nesac\n",
            encoding="utf-8",
        )
        return AgentSettings(name="command", command=("sh", "-e", str(path)))

    def brief(
        self, *, agent: AgentSettings | None = None, settings: RepositorySettings | None = None, attempt: int = 1, **more: Any
    ) -> AttemptBrief:
        issue = IssueSnapshot(number=self.number, title=self.title, body=self.body, hash=issue_hash(self.title, self.body))
        values: dict[str, Any] = {
            "attempt_id": f"a{attempt}",
            "number": attempt,
            "repository": RunnerRepository(
                id=self.repository["id"],
                full_name=self.full_name,
                clone_url=self.repository["clone_url"],
                default_branch=self.default_branch,
                api_url=self.hub.api_url,
            ),
            "issue": issue,
            "kind": Kind.FEATURE,
            "branch": self.branch,
            "base_sha": self.base_sha,
            "settings": settings or RepositorySettings(),
            "agent": agent or AgentSettings(name="patch", folder=str(self.patches)),
            "isolation": "preferred",
            "app_login": self.app.bot_login,
            "app_email": f"{self.app.bot_id}+{self.app.bot_login}@users.noreply.example.org",
            "lease_seconds": 30,
            "heartbeat_seconds": 0.1,
            **more,
        }
        return AttemptBrief.model_validate(values)

    def scripted_app(self, brief: AttemptBrief | None = None) -> ScriptedApp:
        return ScriptedApp(
            brief or self.brief(), permit=self.grant, fetch=lambda: self.mint({"contents": "read", "metadata": "read"})
        )

    def grant(self, _request: PermitRequest) -> PermitReply:
        """What the real app does: re-reads the branch, then mints a write token."""
        return PermitReply(
            status="granted",
            token=self.mint({"contents": "write", "pull_requests": "write", "metadata": "read"}),
            expected_sha=self.branch_sha(),
        )

    def tokens_granted(self, app: ScriptedApp) -> list[str]:
        """Every write token that this app will have handed out, as it does."""
        tokens: list[str] = []

        def permit(request: PermitRequest) -> PermitReply:
            reply = self.grant(request)
            tokens.append(reply.token)
            return reply

        app.permit = permit
        return tokens

    def mint(self, permissions: Mapping[str, str]) -> str:
        wanted = {"permissions": dict(permissions), "repositories": [self.full_name.split("/")[1]]}
        answer = self._app_api.post(f"/app/installations/{self.installation}/access_tokens", json=wanted)
        answer.raise_for_status()
        return str(answer.json()["token"])

    def branch_sha(self) -> str:
        """Empty when there is no such branch."""
        refs = self.person.get(f"/repos/{self.full_name}/git/matching-refs/heads/{self.branch}")
        return next((str(ref["object"]["sha"]) for ref in refs if ref["ref"] == f"refs/heads/{self.branch}"), "")

    def pull_requests(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.person.get(f"/repos/{self.full_name}/pulls", state="all")
        return found

    def reviews(self, number: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.person.get(f"/repos/{self.full_name}/pulls/{number}/reviews")
        return found

    def task_folder(self) -> Path:
        return self.work_dir / "tasks" / str(self.repository["id"]) / self.branch.replace("/", "--")

    def start(self, app: ScriptedApp, **environment: str) -> "subprocess.Popen[str]":
        """The runner, as the app starts it."""
        return self.start_with(app.launch(self.work_dir).model_dump_json(), **environment)

    def start_with(self, line: str, prefix: Sequence[str] = (), **environment: str) -> "subprocess.Popen[str]":
        runner = subprocess.Popen(
            [*prefix, sys.executable, "-I", "-m", "runner"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.root,
            env={**os.environ, **environment},
        )
        assert runner.stdin
        runner.stdin.write(line + "\n")
        runner.stdin.close()
        return runner

    def run(self, app: ScriptedApp, **environment: str) -> tuple[int, str]:
        """Exit code and log of a runner that runs to its end."""
        return self.wait(self.start(app, **environment))

    def wait(self, runner: "subprocess.Popen[str]") -> tuple[int, str]:
        assert runner.stdout
        with runner.stdout:
            output = runner.stdout.read()
        return runner.wait(), output

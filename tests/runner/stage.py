"""A small real repository, a prepared change, and the runner as a real process: what most stories here need."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from shared.github import branch_name, issue_hash
from shared.models import AgentSettings, AttemptBrief, IssueSnapshot, Kind, RepositorySettings, RunnerRepository
from tests.support.scripted_app import ScriptedApp

APP_LOGIN = "shoal[bot]"
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


def git(*arguments: str, cwd: Path) -> str:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        **{f"GIT_{who}_{what}": "somebody@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }
    return subprocess.run(["git", *arguments], cwd=cwd, env=environment, check=True, capture_output=True, text=True).stdout.strip()


@dataclass
class Stage:
    """One repository and one issue; `url` is where the runner fetches from and pushes to."""

    root: Path
    files: Mapping[str, str] = field(default_factory=lambda: dict(FILES))
    number: int = 12
    title: str = "Add a function for the longest word"
    body: str = "In `words.py`, next to `count`."
    base_sha: str = ""

    def __post_init__(self) -> None:
        self.checkout.mkdir(parents=True)
        git("init", "-q", "-b", "main", cwd=self.checkout)
        self.commit(self.files)
        git("clone", "-q", "--bare", str(self.checkout), str(self.bare), cwd=self.root)

    @property
    def checkout(self) -> Path:
        return self.root / "checkout"

    @property
    def bare(self) -> Path:
        return self.root / "remote.git"

    @property
    def work_dir(self) -> Path:
        return self.root / "work"

    @property
    def patches(self) -> Path:
        return self.root / "patches"

    def commit(self, files: Mapping[str, str]) -> str:
        for name, text in files.items():
            path = self.checkout / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        git("add", "-A", cwd=self.checkout)
        git("commit", "-q", "--allow-empty", "-m", "Base", cwd=self.checkout)
        self.base_sha = git("rev-parse", "HEAD", cwd=self.checkout)
        return self.base_sha

    def prepare(self, patch: str, plan: str = "# Plan\n\n1. Edit `words.py`.\n", review: str = "Looks right.\n") -> None:
        """What the patch agent will play."""
        folder = self.patches / str(self.number)
        folder.mkdir(parents=True)
        for name, text in (("plan.md", plan), ("change.patch", patch), ("review.md", review)):
            (folder / name).write_text(text, encoding="utf-8")

    def brief(
        self,
        *,
        agent: AgentSettings | None = None,
        settings: RepositorySettings | None = None,
        attempt: int = 1,
        **more: object,
    ) -> AttemptBrief:
        issue = IssueSnapshot(number=self.number, title=self.title, body=self.body, hash=issue_hash(self.title, self.body))
        values: dict[str, object] = {
            "attempt_id": f"a{attempt}",
            "number": attempt,
            "repository": RunnerRepository(
                id=7,
                full_name="acme/words",
                clone_url=self.bare.as_uri(),
                default_branch="main",
                api_url="http://127.0.0.1:9",
            ),
            "issue": issue,
            "kind": Kind.FEATURE,
            "branch": branch_name(self.number, self.title),
            "base_sha": self.base_sha,
            "settings": settings or RepositorySettings(),
            "agent": agent or AgentSettings(name="patch", folder=str(self.patches)),
            "isolation": "preferred",
            "read_token": "",
            "app_login": APP_LOGIN,
            "app_email": "1+shoal[bot]@users.noreply.example.org",
            "lease_seconds": 30,
            "heartbeat_seconds": 0.1,
            **more,
        }
        return AttemptBrief.model_validate(values)

    def start(self, app: ScriptedApp) -> "subprocess.Popen[str]":
        """The runner, as the app starts it."""
        environment = {name: value for name, value in os.environ.items() if name != "SHOAL_ATTEMPT"}
        runner = subprocess.Popen(
            [sys.executable, "-I", "-m", "runner"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.root,
            env=environment,
        )
        assert runner.stdin
        runner.stdin.write(app.launch(self.work_dir).model_dump_json() + "\n")
        runner.stdin.close()
        return runner

    def run(self, app: ScriptedApp) -> tuple[int, str]:
        """Exit code and log of a runner that runs to its end."""
        runner = self.start(app)
        assert runner.stdout
        with runner.stdout:
            output = runner.stdout.read()
        return runner.wait(), output

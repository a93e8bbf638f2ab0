"""`shoal serve` as a process: what it says, and its end."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from shared.process import environment
from tests.support.browser import Browser, Page


class ServingProgram:
    """The program in a folder; its log is a file there."""

    def __init__(self, folder: Path, settings: dict[str, str]) -> None:
        argv = [sys.executable, "-I", "-m", "app", "serve", "--json"]
        self.log = folder / "serve.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(argv, cwd=folder, env=environment(settings), stdout=subprocess.PIPE, stderr=log)

    def says(self) -> dict[str, dict[str, Any]]:
        """The next document on standard output."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.log.read_text()
        found: dict[str, dict[str, Any]] = json.loads(line)
        return found

    def end(self) -> int:
        """Its exit status."""
        self.process.terminate()
        status = self.process.wait(30)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return status


def registered(browser: Browser, url: str, **chosen: str) -> Page:
    """Through both sites to the end: what the set-up page shows, and GitHub's form but for what is `chosen` there, as they are."""
    ours = browser.get(url)
    theirs = browser.submit(ours, ours.forms[0])
    assert "Create GitHub App" in theirs.text, theirs.text
    return browser.submit(theirs, theirs.forms[0], **chosen)


def installed(browser: Browser, done: Page, repository: str) -> None:
    """By the link on the last page of the registration: GitHub asks for the repository, and leads back to us."""
    [link] = done.links
    choose = browser.get(link)
    [form] = [form for form in choose.forms if form.fields["repository"] == repository]
    back = browser.submit(choose, form)
    assert "Shoal is installed" in back.text, back.text

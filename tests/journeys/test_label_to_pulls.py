"""Eight labels, eight attempts, seven pull requests, one aggregated check on each: by the real command, over real HTTP."""

import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.decide.state import Attempt
from app.demo import sample
from app.demo.outcome import differences
from app.demo.rehearsal import opened, pulls
from app.demo.world import Ways, World
from app.report.words import MEANINGS
from shared.git import run_git
from tests.commands.shoal import SHOAL
from tests.support import journeys
from tests.support.contract import problems_of_file

ISSUES = range(1, len(sample.issues()) + 1)
WITH_PULL = [number for number, one in sample.expected().items() if one.pull_request]


@dataclass(frozen=True)
class Rehearsal:
    """What two runs of `shoal demo` in one folder said, and the world that they left, started once more."""

    world: World
    first: str
    second: str
    seen_secrets: list[str]

    def git(self, *arguments: str) -> tuple[int, str]:
        """git in the repository that GitHub holds."""
        return run_git(
            *arguments, cwd=self.world.folder / f"github/repositories/{self.world.identity.repository}.git", accept=(0, 1)
        )


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    folder = tmp_path_factory.mktemp("rehearsal") / "kept"
    seen: list[str] = []
    first = _demo(folder, seen)
    second = _demo(folder, seen)
    with opened(folder, Ways(think_seconds=0.2, record=_recording(folder)), lambda _: None) as world:
        journeys.settle(world, *ISSUES)
        yield Rehearsal(world, first, second, seen)
    assert problems_of_file(_recording(folder)) == [], "not what GitHub's description says"


def _recording(folder: Path) -> Path:
    """Every exchange of both runs and of what follows."""
    return folder.parent / "exchanges.jsonl"


def _demo(folder: Path, seen: list[str]) -> str:
    """`shoal demo`, and meanwhile a look at the command line of every process that works for it."""
    argv = [str(SHOAL), "demo", "--keep", "--dir", str(folder), "--think-time", "0.2"]
    argv += ["--record", str(_recording(folder))]
    with (folder.parent / "said").open("w+b") as said, subprocess.Popen(argv, stdout=said, stderr=subprocess.STDOUT) as process:
        while process.poll() is None:
            seen += journeys.secrets_in_arguments(process.pid)
            time.sleep(0.2)
        said.seek(0)
        text = said.read().decode()
    assert process.returncode == 0, text
    return text


def _attempt(world: World, issue: int) -> Attempt:
    (only,) = journeys.attempts(world, issue)
    return only


def test_every_issue_comes_to_its_expected_verdict(rehearsal: Rehearsal) -> None:
    """Verdicts, one pull request where one should be and none elsewhere, the red one a draft: by what GitHub shows."""
    assert differences(sample.expected(), tuple(journeys.tasks(rehearsal.world).values()), pulls(rehearsal.world)) == ()
    assert "All 8 expected verdicts came out" in rehearsal.first
    assert journeys.doubled(rehearsal.world, *ISSUES) == []


def test_each_pull_request_carries_its_own_verdict_and_the_table_of_all(rehearsal: Rehearsal) -> None:
    """A sibling's failure reddens nobody; whoever reads one check sees all eight."""
    for issue in WITH_PULL:
        (pull,) = journeys.pulls_of(rehearsal.world, issue)
        wanted = sample.expected()[issue]
        check = journeys.own_check(rehearsal.world, pull)
        assert check["status"] == "completed"
        assert check["conclusion"] == MEANINGS[wanted.verdict].conclusion, check["output"]["title"]
        assert pull["draft"] == wanted.draft
        assert f"Closes #{issue}" in pull["body"]
        table = check["output"]["summary"].partition("### All tasks")[2]
        assert [number for number in ISSUES if f"| #{number} " not in table] == []


def test_the_whole_is_concluded_on_the_base_commit_and_never_red(rehearsal: Rehearsal) -> None:
    """The failures stand in its title: a red check there would redden the default branch."""
    (whole,) = journeys.whole_checks(rehearsal.world, journeys.main_sha(rehearsal.world))
    assert (whole["status"], whole["conclusion"]) == ("completed", "neutral")
    assert "#6 tests failed" in whole["output"]["title"]
    assert "#7 nothing changed" in whole["output"]["title"]


def test_each_issue_has_one_comment_of_the_app_with_its_end(rehearsal: Rehearsal) -> None:
    """Edited in place from `Planning` to the verdict."""
    for issue, wanted in sample.expected().items():
        (comment,) = journeys.bot_comments(rehearsal.world, issue)
        assert f"**{MEANINGS[wanted.verdict].label}**" in comment


def test_the_conflicting_pair_never_ran_at_once_and_is_stacked(rehearsal: Rehearsal) -> None:
    """#1 and #2 change the same function: the later one starts from the earlier one's verified head."""
    earlier, later = sorted((_attempt(rehearsal.world, issue) for issue in (1, 2)), key=lambda a: a.created_at)
    assert earlier.ended_at is not None
    assert earlier.ended_at <= later.created_at
    heads = [journeys.pulls_of(rehearsal.world, attempt.issue)[0]["head"]["sha"] for attempt in (earlier, later)]
    assert rehearsal.git("merge-base", "--is-ancestor", *heads)[0] == 0
    assert (
        f"Stacked on #{earlier.issue}"
        in journeys.own_check(rehearsal.world, journeys.pulls_of(rehearsal.world, later.issue)[0])["output"]["summary"]
    )


def test_the_dependent_builds_on_its_predecessor(rehearsal: Rehearsal) -> None:
    """#4 says `Depends on #3`: its branch holds the very commit of #3, and the tests of both pass there."""
    (before,), (after,) = journeys.pulls_of(rehearsal.world, 3), journeys.pulls_of(rehearsal.world, 4)
    assert rehearsal.git("merge-base", "--is-ancestor", before["head"]["sha"], after["head"]["sha"])[0] == 0
    assert after["base"]["ref"] == "main"


def test_independent_issues_ran_side_by_side(rehearsal: Rehearsal) -> None:
    """Four slots were used: at some moment at least three attempts were at work."""
    spans = [(a.claimed_at, a.ended_at) for a in journeys.attempts(rehearsal.world) if a.claimed_at and a.ended_at]
    assert len(spans) == len(ISSUES)
    assert max(sum(begun <= moment < ended for begun, ended in spans) for moment, _ in spans) >= 3


def test_no_secret_is_left_anywhere(rehearsal: Rehearsal) -> None:
    """Tokens were minted and secrets handed out, yet no log, no database row, no folder and no command line shows one."""
    assert sum(bool(attempt.evidence) for attempt in journeys.attempts(rehearsal.world)) == len(WITH_PULL)
    who, folder = rehearsal.world.identity, rehearsal.world.folder
    key = (folder / "app.pem").read_bytes().splitlines()[1]
    ours = (key, who.webhook_secret.encode(), who.operator_token.encode())
    assert journeys.secrets_in_files(folder / "work", *ours) == []
    assert [
        log
        for log in ("app.log", "localhub.log")
        if any(secret in (folder / log).read_bytes() for secret in (*journeys.SECRET_SHAPES, *ours))
    ] == []
    assert rehearsal.seen_secrets == []


def test_a_second_run_in_the_same_folder_starts_nothing_and_says_so(rehearsal: Rehearsal) -> None:
    """It finds the issues labelled and their pull requests open, shows what came out, and names the way to begin again."""
    assert "holds an earlier rehearsal" in rehearsal.second
    assert "have 7 pull requests already. Nothing is started twice" in rehearsal.second
    assert "`--fresh` starts from the beginning" in rehearsal.second
    assert "All 8 expected verdicts came out" in rehearsal.second
    assert {attempt.number for attempt in journeys.attempts(rehearsal.world)} == {1}
    assert len({attempt.orchestration for attempt in journeys.attempts(rehearsal.world)}) == 1

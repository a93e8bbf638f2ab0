"""Phase 3: the branch's name, fixed by the app at planning, is one that git takes."""

from runner.endings import AttemptEnds
from runner.phase import Outcome, Work
from shared.git import run_git
from shared.github import BRANCH_PREFIX
from shared.models import PhaseName, VerdictName

NAME = PhaseName.BRANCH


def run(work: Work) -> Outcome:
    return Outcome(reason=work.brief.branch)


def missing(work: Work) -> str:
    branch = work.brief.branch
    status, _ = run_git("check-ref-format", "--branch", branch, cwd=work.folder.root, accept=(0, 1, 128))
    if status != 0 or not branch.startswith(BRANCH_PREFIX):
        raise AttemptEnds(VerdictName.INTERNAL_ERROR, f"{branch!r} is no branch name that we may write")
    return ""

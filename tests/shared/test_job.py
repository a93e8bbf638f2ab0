"""What a job of GitHub Actions hears: read back as GitHub's runner reads it, whatever the values and an agent's words hold."""

import io
import re
from pathlib import Path

import pytest

from shared.job import annotate, of_environment
from tests.support.job_files import Heard, heard, outputs_of

_HOSTILE = "one\nverdict<<EOF\nforged\nEOF\n::set-output name=verdict::forged\n"


def environ(folder: Path) -> dict[str, str]:
    """As the runner sets it for a step."""
    return {"GITHUB_OUTPUT": str(folder / "output"), "GITHUB_STEP_SUMMARY": str(folder / "summary")}


def test_a_value_of_many_lines_comes_back_whole_and_names_no_other_output(tmp_path: Path) -> None:
    """Words that look like the file's own are only words, for what ends a value is drawn anew each time."""
    with of_environment(environ(tmp_path), io.StringIO()) as job:
        assert job is not None
        job.put(verdict=_HOSTILE, pull_request="7")
        job.put(branch="shoal/7-x")
    assert outputs_of(tmp_path / "output") == {"verdict": _HOSTILE, "pull-request": "7", "branch": "shoal/7-x"}
    ends = re.findall(r"^[\w-]+<<(end_\w{32})$", (tmp_path / "output").read_text(), re.MULTILINE)
    assert len(ends) == 3
    assert len(set(ends)) == 2


def test_what_an_agent_prints_is_no_command(tmp_path: Path) -> None:
    """Between the two words that nobody can know beforehand GitHub's runner obeys nobody but us."""
    log = io.StringIO()
    with of_environment(environ(tmp_path), log) as job:
        assert job is not None
        log.write("::add-mask::e\n::error::forged\n::stop-commands::mine\n::mine::\n::set-env name=PATH::/tmp\n")
        job.mask("hunter2\n\nsecond%0Aline")
        log.write("::error::forged again\n")
    log.write("::notice::after the step\n")
    assert heard(log.getvalue()) == Heard(masks=["hunter2", "second%0Aline"], commands=["::notice::after the step"])


def test_the_word_that_ends_the_silence_is_never_the_same(tmp_path: Path) -> None:
    """An agent that has seen one job's log knows nothing about the next."""
    words = set()
    for _ in range(2):
        log = io.StringIO()
        with of_environment(environ(tmp_path), log):
            pass
        words |= set(re.findall(r"::stop-commands::(\w{32})", log.getvalue()))
    assert len(words) == 2


def test_the_silence_ends_with_the_block_however_it_ends(tmp_path: Path) -> None:
    """Else the annotation that says why would be mute."""
    log = io.StringIO()
    with pytest.raises(ValueError, match="broken"), of_environment(environ(tmp_path), log):
        raise ValueError("broken")
    annotate(environ(tmp_path), log, "error", "100 % broken\nreally")
    assert heard(log.getvalue()).commands == ["::error title=Shoal::100 %25 broken%0Areally"]


def test_an_empty_secret_masks_nothing(tmp_path: Path) -> None:
    """GitHub refuses an empty mask with a warning on the run's page."""
    log = io.StringIO()
    with of_environment(environ(tmp_path), log) as job:
        assert job is not None
        job.mask("\n ")
    assert "add-mask" not in log.getvalue()


def test_a_summary_beyond_githubs_limit_is_cut_and_says_so(tmp_path: Path) -> None:
    """GitHub would drop the whole of it."""
    with of_environment(environ(tmp_path), io.StringIO()) as job:
        assert job is not None
        job.summarise("é" * (1024 * 1024))
    written = (tmp_path / "summary").read_bytes()
    assert len(written) <= 1024 * 1024
    assert written.decode().rstrip().endswith("GitHub's limit is reached.*")


def test_without_a_job_nothing_is_said(tmp_path: Path) -> None:
    """The same program on a desk: no command in its output, no file."""
    log = io.StringIO()
    with of_environment({}, log) as job:
        assert job is None
    annotate({}, log, "error", "broken")
    assert log.getvalue() == ""
    assert list(tmp_path.iterdir()) == []

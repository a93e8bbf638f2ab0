"""Stories about what our programs load: four runners and the app share a small machine, so none holds what it does not use."""

import os
import subprocess
import sys

from shared.without import without

# A module that each of them loads: their own names are listed also when they were looked for in vain.
_PRETTY = ("rich.console", "pygments.token", "click.core")
_SIGNS = ("cryptography.hazmat", "charset_normalizer.api")


def loaded(*words: str, **environment: str) -> set[str]:
    """The modules that a program of ours has loaded when it ends, for it does not understand its input."""
    argv = [sys.executable, "-I", "-X", "importtime", *words]
    ended = subprocess.run(argv, input="", env={**os.environ, **environment}, capture_output=True, text=True, timeout=60)
    lines = [line for line in ended.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip() for line in lines}


def test_a_runner_that_waits_holds_no_library_that_only_a_late_phase_needs() -> None:
    """Neither PyGithub, which comes with the pull request, nor what is only pretty, nor what we never ask of any library."""
    there = loaded("-m", "runner")
    assert {"runner.phases.review", "httpx", "structlog", "pydantic"} <= there
    assert not there & {"github.Requester", "requests.models", "detect_secrets.core", *_PRETTY, *_SIGNS}


def test_pygithub_works_without_what_it_only_signs_and_guesses_with() -> None:
    """A runner that publishes has loaded neither cryptography nor a guesser of encodings, and is warned of nothing."""
    program = "import sys, runner.__main__, runner.github; print(*sys.modules)"
    ended = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, timeout=60)
    there = set(ended.stdout.split())
    assert ended.stderr == ""
    assert {"github.Repository", "requests"} <= there
    assert not there & {*_PRETTY, *_SIGNS}


def test_an_app_that_serves_has_loaded_nothing_to_be_pretty_with() -> None:
    """It writes a log; the tables of the other verbs are still drawn."""
    there = loaded("-m", "app", "serve", SHOAL_PORT="none")
    assert {"app.wiring", "httpx", "structlog", "alembic"} <= there
    assert not there & {"rich.console", "pygments.token"}


def test_what_was_hidden_for_a_while_is_found_again() -> None:
    """And what was there before is not hidden at all."""
    sys.modules.pop("this_is_nowhere", None)
    with without("this_is_nowhere", "sys"):
        assert sys.modules["this_is_nowhere"] is None
        import sys as still_there

        assert still_there is sys
    assert "this_is_nowhere" not in sys.modules

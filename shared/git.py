"""The only place that runs git, through GitPython's command object (its index API changes the process's directory: not used)."""

import base64
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from shared.errors import FatalError, TransientError

if TYPE_CHECKING:
    from git.cmd import Git

OLDEST_GIT = (2, 38)  # `merge-tree --write-tree`
_MISSING = "git is missing: install git 2.38 or newer"

# Nothing of the machine's or a repository's configuration may start a program or a prompt.
_ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_ASKPASS": "true",
}
_CONFIGURATION = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "protocol.ext.allow=never",
    "gc.auto=0",
    "maintenance.auto=false",
)
_UNREACHABLE = re.compile(
    r"Could not resolve host|Failed to connect|Connection (?:refused|reset|timed out)|Operation timed out|early EOF"
    r"|The requested URL returned error: (?:5\d\d|429)|unexpected disconnect|index\.lock|unable to access .* Empty reply"
    # An answer that was cut short: curl's words, and git's own for what it could not make sense of.
    r"|Recv failure|transfer closed with|curl (?:18|28|52|56|92)\b|expected 'packfile'|bad line length|unexpected end of file"
)


class GitFailed(Exception):
    """git said no: `status`, and its words in `stderr`."""

    def __init__(self, arguments: tuple[str, ...], status: int, stderr: str) -> None:
        super().__init__(f"git {' '.join(arguments[:3])} ended with {status}: {stderr.strip()[-800:]}")
        self.status = status
        self.stderr = stderr


def git(
    *arguments: str,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
    accept: tuple[int, ...] = (0,),
    timeout: float = 600,
) -> str:
    """Standard output of one git command; raises GitFailed, or TransientError where the network was the reason."""
    return run_git(*arguments, cwd=cwd, env=env, stdin=stdin, accept=accept, timeout=timeout)[1]


def run_git(
    *arguments: str,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
    accept: tuple[int, ...] = (0,),
    timeout: float = 600,
) -> tuple[int, str]:
    """Exit status and standard output, for commands whose status is an answer."""
    return _execute(arguments, cwd, env or {}, stdin or b"", accept, timeout)


def git_bytes(*arguments: str, cwd: Path, stdin: bytes = b"", env: Mapping[str, str] | None = None, timeout: float = 600) -> bytes:
    """Standard output as it is, for contents of files.

    By way of a file: from a pipe this process would take it in thousands of pieces, and wait for its own threads before each.
    """
    with tempfile.NamedTemporaryFile() as spool:
        _execute(arguments, cwd, env or {}, stdin, (0,), timeout, into=Path(spool.name))
        return spool.read()


def _execute(
    arguments: tuple[str, ...],
    cwd: Path,
    env: Mapping[str, str],
    stdin: bytes,
    accept: tuple[int, ...],
    timeout: float,
    into: Path | None = None,
) -> tuple[int, str]:
    settings = [part for setting in _CONFIGURATION for part in ("-c", setting)]
    wanted = {**_ENVIRONMENT, **env}
    # GitPython lays `env` over the process's own environment, so what must be absent is taken away by env(1).
    strays = [name for name in os.environ if name.startswith("GIT_") and name not in wanted]
    scrub = ["env", *(part for name in strays for part in ("-u", name))] if strays else []
    redirect = ["sh", "-c", 'exec "$@" > "$0"', str(into)] if into else []
    with tempfile.TemporaryFile() as spool:
        spool.write(stdin)
        spool.seek(0)
        status, out, err = _command(cwd).execute(
            [*redirect, *scrub, "git", *settings, *arguments],
            istream=spool,
            with_extended_output=True,
            with_exceptions=False,
            strip_newline_in_stdout=False,
            kill_after_timeout=timeout,
            env=wanted,
        )
    if status in accept:
        return int(status), str(out)
    stderr = str(err)
    if _UNREACHABLE.search(stderr):
        raise TransientError(f"git {arguments[0]}: {stderr.strip()[-300:]}")
    raise GitFailed(arguments, int(status), stderr)


def _command(cwd: Path) -> "Git":
    # Not at the top: GitPython cannot be imported where git is missing, and that is for `check_git` to say.
    try:
        from git.cmd import Git
    except ImportError as error:
        raise FatalError(_MISSING) from error
    return Git(str(cwd))


def credentials(url: str, token: str) -> dict[str, str]:
    """Environment that lets git speak to `url` as `token`: never in argv, never in a configuration file."""
    basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"http.{url}.extraHeader",
        "GIT_CONFIG_VALUE_0": f"Authorization: Basic {basic}",
    }


def identity(name: str, email: str) -> dict[str, str]:
    """Environment that names author and committer."""
    return {
        "GIT_AUTHOR_NAME": name,
        "GIT_AUTHOR_EMAIL": email,
        "GIT_COMMITTER_NAME": name,
        "GIT_COMMITTER_EMAIL": email,
    }


def check_git() -> str:
    """The version found, or a FatalError with the fix."""
    try:
        text = git("--version", cwd=Path("/"))
    except Exception as error:  # GitPython raises several things for a missing program
        raise FatalError(_MISSING) from error
    found = re.search(r"(\d+)\.(\d+)", text)
    if not found or (int(found[1]), int(found[2])) < OLDEST_GIT:
        raise FatalError(f"git is too old ({text.strip()}): shoal needs 2.38 or newer (merge-tree --write-tree)")
    return text.strip().removeprefix("git version ")

"""What planning must know of a repository: its newest commit, the files in it, its settings file."""

import asyncio
import fcntl
import shutil
from dataclasses import dataclass
from pathlib import Path

from app.facts.damage import Damaged, reading
from app.facts.settings_file import PATH
from app.facts.tree import Listing, list_commit
from app.github.repository import RepositoryClient
from shared.errors import UserError
from shared.git import GitFailed, credentials, git, run_git


@dataclass(frozen=True)
class RepositoryFacts:
    """As of `base_sha`, the head of the default branch; `settings_text` is None where there is no settings file."""

    base_sha: str
    default_branch: str
    clone_url: str
    listing: Listing
    settings_text: str | None


async def gather(client: RepositoryClient, work_dir: Path, *, afresh: bool = False) -> RepositoryFacts:
    """Fetches the default branch into the app's own mirror and reads from there: no API call per file.

    Damaged means that the mirror is; `afresh` throws it away first.
    """
    about = await client.about()
    token = await client.read_token()
    mirror = work_dir / "mirrors-app" / f"{about.id}.git"
    base_sha = await asyncio.to_thread(_fetch, mirror, about.clone_url, about.default_branch, token, afresh=afresh)
    listing = await asyncio.to_thread(list_commit, mirror, base_sha)
    settings = await asyncio.to_thread(_settings_text, listing)
    return RepositoryFacts(base_sha, about.default_branch, about.clone_url, listing, settings)


def _fetch(mirror: Path, url: str, branch: str, token: str, *, afresh: bool) -> str:
    mirror.parent.mkdir(parents=True, exist_ok=True)
    # Two batches of a repository may be planned at once, and git does not wait for itself.
    with mirror.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if afresh:
            shutil.rmtree(mirror, ignore_errors=True)
        return _fetch_alone(mirror, url, branch, token)


def _fetch_alone(mirror: Path, url: str, branch: str, token: str) -> str:
    is_new = not (mirror / "HEAD").exists()
    if is_new:
        mirror.mkdir(exist_ok=True)
        git("init", "--bare", "--quiet", ".", cwd=mirror)
    ref = f"refs/heads/{branch}"
    env = credentials(url, token)
    if run_git("ls-remote", "--exit-code", url, ref, cwd=mirror, env=env, accept=(0, 2))[0] == 2:
        raise UserError(
            f"the repository has no commit on its default branch `{branch}`: push a first commit, then label the issues again"
        )
    try:
        git("fetch", "--quiet", "--no-tags", "--force", url, f"{ref}:{ref}", cwd=mirror, env=env)
    except GitFailed as error:
        if is_new:
            raise
        raise Damaged(mirror, error.stderr) from error
    return git("rev-parse", ref, cwd=mirror).strip()


def _settings_text(listing: Listing) -> str | None:
    """A file that is there and cannot be read is no reason to go by other rules."""
    if PATH not in listing.tree.files:
        return None
    with reading(listing.folder):
        return git("show", f"{listing.head}:{PATH}", cwd=listing.folder)

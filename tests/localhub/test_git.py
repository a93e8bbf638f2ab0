"""Git over HTTP: real clones and pushes, guarded by the same tokens as the API."""

import subprocess
from pathlib import Path

from tests.localhub.conftest import Project
from tests.support.localhub import running_localhub


def _git(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    identity = ["-c", "user.name=Runner", "-c", "user.email=runner@example.org", "-c", "credential.helper="]
    env = {
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_TERMINAL_PROMPT": "0",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
    }
    return subprocess.run(["git", *identity, *arguments], cwd=cwd, env=env, capture_output=True, text=True)


def _url(project: Project, token: str, suffix: str = ".git") -> str:
    return project.hub.url.replace("http://", f"http://x-access-token:{token}@") + f"/{project.name}{suffix}"


def _clone(project: Project, token: str, into: Path, suffix: str = ".git") -> Path:
    done = _git("clone", "--quiet", _url(project, token, suffix), str(into), cwd=into.parent)
    assert done.returncode == 0, done.stderr
    return into


def test_a_large_push_arrives_and_the_pull_request_follows(project: Project, tmp_path: Path) -> None:
    """Eight megabytes through the same door, with and without `.git`; the branch is known to the API at once."""
    clone = _clone(project, project.token(), tmp_path / "clone", suffix="")
    # Bytes that do not compress, the same in every run.
    noise = b"".join(number.to_bytes(8, "big") for number in _noise(1_000_000))
    (clone / "big.bin").write_bytes(noise)
    _git("checkout", "-q", "-b", "work", cwd=clone)
    _git("add", ".", cwd=clone)
    _git("commit", "-q", "-m", "Big", cwd=clone)
    pushed = _git("push", "-q", _url(project, project.token()), "HEAD:refs/heads/work", cwd=clone)
    assert pushed.returncode == 0, pushed.stderr
    sha = _git("rev-parse", "HEAD", cwd=clone).stdout.strip()
    assert project.maintainer.get(f"{project.path}/branches/work")["commit"]["sha"] == sha
    assert project.maintainer.get(f"{project.path}/contents/big.bin", ref="work")["size"] == 8_000_000


def test_a_read_token_fetches_and_cannot_push(project: Project, tmp_path: Path) -> None:
    """contents:read is enough for a clone and not for a push; a revoked token is not enough for anything."""
    token = project.token(permissions={"contents": "read"})
    clone = _clone(project, token, tmp_path / "clone")
    refused = _git("push", _url(project, token), "HEAD:refs/heads/work", cwd=clone)
    assert refused.returncode != 0
    assert "403" in refused.stderr
    writer = project.token()
    project.hub.client(f"Bearer {writer}").delete("/installation/token")
    assert _git("push", _url(project, writer), "HEAD:refs/heads/work", cwd=clone).returncode != 0


def test_a_lease_on_an_old_commit_is_rejected(project: Project, tmp_path: Path) -> None:
    """The fence of the protocol: who expects another SHA than the true one cannot push."""
    clone = _clone(project, project.token(), tmp_path / "clone")
    project.hub.commit(project.name, "work", {"a.txt": "theirs\n"}, login="mona")
    _git("commit", "-q", "--allow-empty", "-m", "Mine", cwd=clone)
    for expected in ("", "0" * 40, _git("rev-parse", "origin/main", cwd=clone).stdout.strip()):
        refused = _git(
            "push", f"--force-with-lease=refs/heads/work:{expected}", _url(project, project.token()), "HEAD:work", cwd=clone
        )
        assert "stale info" in refused.stderr


def test_a_private_repository_needs_a_credential(project: Project, tmp_path: Path) -> None:
    """Public: anybody may clone. Private: 401 without, 404 with a stranger's."""
    project.hub.repository("acme/secret", tmp_path / "widgets", private=True)
    public, private = f"{project.hub.url}/acme/widgets", f"{project.hub.url}/acme/secret"
    assert _git("ls-remote", public, cwd=tmp_path).returncode == 0
    assert _git("ls-remote", private, cwd=tmp_path).returncode != 0
    stranger = project.hub.person("eve")
    found = _git("ls-remote", private.replace("http://", f"http://eve:{stranger.token}@"), cwd=tmp_path)
    assert "not found" in found.stderr


def test_a_person_and_an_app_are_told_apart_as_pushers(project: Project, tmp_path: Path) -> None:
    """The push webhook names who pushed."""
    clone = _clone(project, project.token(), tmp_path / "clone")
    for token, branch in ((project.token(), "by-app"), (project.maintainer.token, "by-mona")):
        _git("commit", "-q", "--allow-empty", "-m", branch, cwd=clone)
        assert _git("push", "-q", _url(project, token), f"HEAD:refs/heads/{branch}", cwd=clone).returncode == 0
    pushes = {row["payload"]["ref"]: row["payload"]["sender"]["login"] for row in project.hub.deliveries("push")}
    assert pushes == {"refs/heads/by-app": "shoal-app[bot]", "refs/heads/by-mona": "mona"}


def test_a_second_start_has_everything_again(tmp_path: Path) -> None:
    """State and repositories outlive the process, killed in the middle of nothing in particular."""
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "README.md").write_text("# Widgets\n")
    with running_localhub(tmp_path / "hub") as first:
        first.repository("acme/widgets", tmp_path / "files")
        mona = first.person("mona", {"acme/widgets": "write"})
        mona.open_issue("acme/widgets", "One", labels=["shoal"])
        first.process.kill()
    with running_localhub(tmp_path / "hub") as second:
        client = second.client(f"token {mona.token}")
        issue = client.get("/repos/acme/widgets/issues/1").json()
        assert [label["name"] for label in issue["labels"]] == ["shoal"]
        assert client.post("/repos/acme/widgets/issues", json={"title": "Two"}).json()["number"] == 2
        assert _git("ls-remote", f"{second.url}/acme/widgets", cwd=tmp_path).returncode == 0


def test_eight_pushes_at_once_all_arrive(project: Project, tmp_path: Path) -> None:
    """Branches move side by side; each open pull request ends at its own new head, told once."""
    clone = _clone(project, project.token(), tmp_path / "clone")
    names = [f"work-{number}" for number in range(8)]
    for name in names:
        project.hub.commit(project.name, name, {f"{name}.txt": "1\n"}, login="mona")
        project.maintainer.open_pull(project.name, name)
    url, pushes = _url(project, project.token()), []
    for name in names:
        _git("checkout", "-q", "-B", name, "origin/main", cwd=clone)
        _git("commit", "-q", "--allow-empty", "-m", name, cwd=clone)
        pushes.append(["git", "push", "-q", "--force", url, f"{name}:{name}"])
    running = [subprocess.Popen(argv, cwd=clone, stderr=subprocess.PIPE) for argv in pushes]
    assert [process.communicate()[1] for process in running] == [b""] * 8
    for pull in project.maintainer.get(f"{project.path}/pulls"):
        assert pull["head"]["sha"] == _git("rev-parse", pull["head"]["ref"], cwd=clone).stdout.strip()
    assert len(project.hub.deliveries("pull_request", "synchronize")) == 8


def test_a_push_may_land_although_its_answer_is_lost(project: Project, tmp_path: Path) -> None:
    """502 before the effect leaves no branch; 502 after it leaves one that the pusher knows nothing of."""
    clone = _clone(project, project.token(), tmp_path / "clone")
    for branch, after_effect in (("lost", False), ("landed", True)):
        project.hub.fault("git-receive-pack$", 502, method="POST", after_effect=after_effect)
        _git("commit", "-q", "--allow-empty", "-m", branch, cwd=clone)
        assert _git("push", "-q", _url(project, project.token()), f"HEAD:refs/heads/{branch}", cwd=clone).returncode != 0
    assert sorted(row["name"] for row in project.maintainer.get(f"{project.path}/branches")) == ["landed", "main"]


def _noise(count: int) -> list[int]:
    found, value = [], 1
    for _ in range(count):
        value = (value * 6364136223846793005 + 1442695040888963407) % 2**64
        found.append(value)
    return found

"""The diff gate: by names and kinds, by sizes, by content; from git's records, never through the file system."""

import os
from pathlib import Path

import pytest

from runner.gate import PROTECTED, Entry, escapes, inspect, judge_path, matches
from shared.git import git, identity

WHO = identity("Somebody", "somebody@example.org")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    git("init", "-q", "-b", "main", str(folder), cwd=tmp_path)
    (folder / "words.py").write_text("key = '-----BEGIN PRIVATE KEY-----'  # an old one\n")
    commit(folder)
    git("tag", "start", cwd=folder)
    return folder


def commit(folder: Path) -> None:
    git("add", "-A", cwd=folder)
    git("commit", "-q", "-m", "Change", cwd=folder, env=WHO)


def refused(folder: Path, *protected: str) -> list[str]:
    commit(folder)
    return [str(refusal) for refusal in inspect(folder, "start", "HEAD", protected)]


def test_an_ordinary_change_may_leave(repository: Path) -> None:
    """A secret that the repository holds already is its owners' business, not the change's."""
    (repository / "words.py").write_text((repository / "words.py").read_text() + "x = 1\n")
    (repository / "inside").symlink_to("words.py")
    assert refused(repository) == []


@pytest.mark.parametrize(
    "path",
    [
        ".github/workflows/ci.yml",
        ".GitHub/workflows/ci.yml",
        "action.yml",
        "docs/CODEOWNERS",
        "AGENTS.md",
        "src/deep/CLAUDE.md",
        ".claude/settings.json",
        "sub/.mcp.json",
        ".gitmodules",
        ".gitattributes",
        ".husky/pre-commit",
        ".npmrc",
        ".devcontainer/devcontainer.json",
    ],
)
def test_what_steers_machines_and_agents_is_protected(path: str) -> None:
    """In any letter case, since some file systems do not see it."""
    assert judge_path(Entry(path, "100644", "0" * 40), PROTECTED) is not None


@pytest.mark.parametrize("path", ["src/action_yml.py", "docs/github/x.md", "claude.py", "github/workflows/x.yml"])
def test_similar_names_are_not(path: str) -> None:
    """The list is exact."""
    assert judge_path(Entry(path, "100644", "0" * 40), PROTECTED) is None


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/etc/x", ".git/config", "a/.GIT/config", ".git./x", ".git /x"])
def test_paths_that_leave_the_repository_are_refused(path: str) -> None:
    """Git refuses most of them itself; we do not rely on it."""
    assert judge_path(Entry(path, "100644", "0" * 40), ()) is not None


@pytest.mark.parametrize(
    ("path", "pattern", "expected"),
    [
        ("a/b/c.py", "a/**", True),
        ("a/b/c.py", "**/c.py", True),
        ("c.py", "**/c.py", True),
        ("a/b/c.py", "a/*", False),
        ("secrets.env", "*.env", True),
        ("x/secrets.env", "*.env", False),
        ("x/y/z", "x/**/z", True),
        ("x/z", "x/**/z", True),
    ],
)
def test_globs_are_those_of_gitignore(path: str, pattern: str, expected: bool) -> None:
    """`*` stays in its folder, `**` does not."""
    assert matches(path, pattern) is expected


@pytest.mark.parametrize(
    ("path", "target", "expected"),
    [
        ("a", "b", False),
        ("x/a", "../b", False),
        ("a", "../b", True),
        ("x/a", "../../b", True),
        ("a", "/etc/passwd", True),
        ("a", ".git/config", True),
        ("x/a", "../.git", True),
    ],
)
def test_links_may_only_lead_inside(path: str, target: str, expected: bool) -> None:
    """And never to the git directory."""
    assert escapes(path, target) is expected


def test_a_link_out_is_read_from_git_not_followed(repository: Path) -> None:
    """The report names link and target."""
    (repository / "users").symlink_to("/etc/passwd")
    assert refused(repository) == ["users: a symbolic link out of the repository, to '/etc/passwd'"]


def test_large_files_and_many_files_are_refused(repository: Path) -> None:
    """With size and limit."""
    (repository / "blob").write_bytes(os.urandom(5 * 1024 * 1024 + 1))
    assert refused(repository) == ["blob: 5,242,881 bytes, more than 5,242,880"]
    for number in range(500):
        (repository / f"file{number}").touch()
    assert refused(repository)[0].endswith("501 files changed, more than 500")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (b"-----BEGIN OPENSSH PRIVATE KEY-----\n", "a private key"),
        (b"++ -----BEGIN PRIVATE KEY-----\n", "a private key"),
        (b"x\x0b\x1c\xe2\x80\xa8AKIAABCDEFGHIJKLMNOP\n", "an AWS access key"),
        (b"\x00\xff binary ghp_" + b"a" * 36, "a GitHub token"),
        (b"OPENAI_API_KEY=sk-" + b"b" * 30, "a model provider's key"),
    ],
)
def test_secrets_in_added_lines_are_found_wherever_they_hide(repository: Path, text: bytes, what: str) -> None:
    """In binary files, behind signs that end a line elsewhere, and in lines that look like a diff's own."""
    (repository / "Größe file").write_bytes(text)
    assert refused(repository) == [f"Größe file: holds {what}"] or refused_path_differs(repository, what)


def refused_path_differs(repository: Path, what: str) -> bool:
    """A line that poses as a file's header may spoil the name in the message, never the finding."""
    return [refusal.rule for refusal in inspect(repository, "start", "HEAD", ())] == [f"holds {what}"]


def test_the_repositorys_own_list_is_added_and_named(repository: Path) -> None:
    """People read which setting would let it through."""
    (repository / "billing").mkdir()
    (repository / "billing" / "tax.py").write_text("x = 1\n")
    assert refused(repository, "billing/**") == ["billing/tax.py: protected by `billing/**` (setting: protected_paths)"]

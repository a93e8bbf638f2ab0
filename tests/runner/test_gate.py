"""The diff gate on real commits: from git's records, never through the file system."""

import os
from pathlib import Path

import pytest

from runner.gate import Judgement, inspect
from runner.rules.contents import escapes
from shared.git import git, identity
from shared.repository_settings import RepositorySettings

WHO = identity("Somebody", "somebody@example.org")
TOKEN = "ghp_" + "a" * 36


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    git("init", "-q", "-b", "main", str(folder), cwd=tmp_path)
    (folder / "words.py").write_text("key = '-----BEGIN PRIVATE KEY-----'  # an old one\n")
    (folder / ".npmrc").write_text("save-exact=true\n")
    commit(folder)
    git("tag", "start", cwd=folder)
    return folder


def commit(folder: Path) -> None:
    git("add", "-A", cwd=folder)
    git("commit", "-q", "-m", "Change", cwd=folder, env=WHO)


def judged(folder: Path, settings: RepositorySettings | None = None) -> Judgement:
    commit(folder)
    return inspect(folder, "start", "HEAD", settings or RepositorySettings())


def refused(folder: Path, settings: RepositorySettings | None = None) -> list[str]:
    return [str(refusal) for refusal in judged(folder, settings).refusals]


def test_an_ordinary_change_may_leave(repository: Path) -> None:
    """A secret that the repository holds already is its owners' business, not the change's."""
    (repository / "words.py").write_text((repository / "words.py").read_text() + "x = 1\n")
    (repository / "inside").symlink_to("words.py")
    assert judged(repository) == Judgement(())


def test_protected_files_need_a_person_and_nothing_else_does(repository: Path) -> None:
    """Renaming and deleting change them too; a key beside them is refused all the same."""
    (repository / ".npmrc").rename(repository / "npm.txt")
    (repository / ".github").mkdir()
    (repository / ".github" / "ci.yml").write_text(f"env: {TOKEN}\n")
    judgement = judged(repository)
    assert [str(refusal) for refusal in judgement.needs_person] == [
        ".github/ci.yml: protected by `.github/**` (setting: protected_changes)",
        ".npmrc: protected by `**/.npmrc` (setting: protected_changes)",
    ]
    assert [str(refusal) for refusal in judgement.refusals] == [".github/ci.yml:1: holds a GitHub token"]


@pytest.mark.parametrize(
    ("path", "target", "expected"),
    [
        ("a", "b", False),
        ("x/a", "../b", False),
        ("a", "../b", True),
        ("x/a", "../../b", True),
        ("x/a", "..\\..\\b", True),
        ("a", "/etc/passwd", True),
        ("a", "C:\\x", True),
        ("a", ".git/config", True),
        ("a", ".GIT. /config", True),
        ("x/a", "../.git", True),
        ("a", ".git/../b", True),
    ],
)
def test_links_may_only_lead_inside(path: str, target: str, expected: bool) -> None:
    """And never to or through a git directory, however it is spelt."""
    assert escapes(path, target) is expected


def test_a_link_out_is_read_from_git_not_followed(repository: Path) -> None:
    """Also one that takes the place of a file; the report names link and target."""
    (repository / "words.py").unlink()
    (repository / "words.py").symlink_to("/etc/passwd")
    assert refused(repository) == ["words.py: a symbolic link out of the repository, to '/etc/passwd'"]


def test_large_files_and_many_files_are_refused(repository: Path) -> None:
    """With size, limit and the setting that holds it."""
    (repository / "blob").write_bytes(os.urandom(5 * 1024 * 1024 + 1))
    assert refused(repository) == ["blob: 5,242,881 bytes, more than 5,242,880 (setting: max_file_mib)"]
    for number in range(500):
        (repository / f"file{number}").touch()
    assert refused(repository)[0].endswith("501 files changed, more than 500 (setting: max_changed_files)")


def test_the_repository_may_set_its_own_sizes(repository: Path) -> None:
    """Smaller ones, or larger ones up to what the product allows."""
    for name in ("a", "b"):
        (repository / name).write_bytes(os.urandom(700_000))
    tight = RepositorySettings(max_change_mib=1)
    assert refused(repository, tight)[0].endswith("more than 1,048,576; this is the largest (setting: max_change_mib)")
    assert inspect(repository, "start", "HEAD", RepositorySettings(max_change_mib=2)) == Judgement(())
    small, few = RepositorySettings(max_file_mib=0.5), RepositorySettings(max_changed_files=1)
    found = [inspect(repository, "start", "HEAD", settings).refusals for settings in (small, few)]
    assert [[(one.path, one.setting) for one in refusals] for refusals in found] == [
        [("a", "max_file_mib"), ("b", "max_file_mib")],
        [("b", "max_changed_files")],
    ]


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        (b"x\n-----BEGIN OPENSSH PRIVATE KEY-----\n", 2, "a private key"),
        (b"++ b/other\n++ -----BEGIN PRIVATE KEY-----\n", 2, "a private key"),
        (b"x\x0b\x1c\xe2\x80\xa8AKIAABCDEFGHIJKLMNOP\n", 1, "an AWS key"),
        (b"\x00\xff binary\n\n" + TOKEN.encode(), 3, "a GitHub token"),
        (b"-- a\n@@ -1 +1 @@\ndiff --git a/x b/x\n+ " + TOKEN.encode(), 4, "a GitHub token"),
    ],
)
def test_secrets_in_added_lines_are_found_wherever_they_hide(repository: Path, text: bytes, line: int, what: str) -> None:
    """In binary files, behind signs that end a line elsewhere, and in lines that look like a diff's own."""
    (repository / 'Größe "file"').write_bytes(text)
    assert refused(repository) == [f'Größe "file":{line}: holds {what}']


def test_the_right_file_and_line_are_named_in_a_change_of_many(repository: Path) -> None:
    """Deleted files, changed modes, new links and empty files are sections of the diff as well."""
    (repository / "old.py").write_text("a\nb\nc\n")
    (repository / "run.sh").write_text("echo\n")
    (repository / "kind").write_text("file\n")
    commit(repository)
    git("tag", "-f", "start", cwd=repository)
    (repository / "kind").unlink()
    (repository / "kind").symlink_to("words.py")
    (repository / "run.sh").chmod(0o755)
    (repository / ".npmrc").unlink()
    (repository / "empty").touch()
    (repository / "old.py").write_text(f"a\nb\n# {TOKEN}\nc\n")
    (repository / "zz.py").write_text("-----BEGIN RSA PRIVATE KEY-----\n")
    assert refused(repository) == ["old.py:3: holds a GitHub token", "zz.py:1: holds a private key"]


def test_a_refusal_never_shows_the_secret(repository: Path) -> None:
    """Not even one that is the file's name, or a link's target."""
    (repository / f"{TOKEN}.txt").write_text(f"{TOKEN}\n")
    (repository / "link").symlink_to(f"/{TOKEN}")
    told = refused(repository)
    assert len(told) == 3
    assert TOKEN not in "".join(told)


def test_names_that_collide_and_embedded_repositories_are_refused(repository: Path) -> None:
    """Judged against the whole tree after the change."""
    (repository / "WORDS.py").write_text("x = 1\n")
    for name in ("HEAD", "objects/keep", "refs/keep"):
        (repository / "inner" / name).parent.mkdir(parents=True, exist_ok=True)
        (repository / "inner" / name).write_text("ref: refs/heads/main\n")
    assert refused(repository) == [
        "WORDS.py: the same name as `words.py` where letter case does not count",
        "inner/HEAD: an embedded bare repository",
    ]

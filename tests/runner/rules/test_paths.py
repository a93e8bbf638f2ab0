"""Names: on Linux they are only names, elsewhere some of them are others."""

import pytest

from runner.rules.entries import Entry, Refusal
from runner.rules.paths import judge_bare_repositories, judge_collisions, judge_name, judge_protection, matches

BLOB = "0" * 40


def entry(path: str, mode: str = "100644", was: str = "000000") -> Entry:
    return Entry(path, mode, BLOB, was)


@pytest.mark.parametrize(
    "path",
    [
        ".github/workflows/ci.yml",
        ".GitHub/workflows/ci.yml",
        ".github./workflows/ci.yml",
        ".git\u200chub/workflows/ci.yml",
        "action.yml",
        "docs/CODEOWNERS",
        "AGENTS.md",
        "src/deep/CLAUDE.md",
        ".claude/settings.json",
        "sub/.mcp.json",
        ".gitmodules",
        ".gitattributes",
        ".husky/pre-commit",
        "sub/.githooks/pre-push",
        ".npmrc",
        ".devcontainer/devcontainer.json",
    ],
)
def test_what_steers_machines_and_agents_is_protected(path: str) -> None:
    """In any spelling that some file system takes for it; the operator's setting is named."""
    refusal = judge_protection(entry(path), ())
    assert refusal is not None
    assert refusal.setting == "protected_changes"
    assert judge_protection(entry(path, mode="000000", was="100644"), ()) is not None, "nor may it be deleted"


@pytest.mark.parametrize("path", ["src/action_yml.py", "docs/github/x.md", "claude.py", "github/workflows/x.yml", "hooks/use.py"])
def test_similar_names_are_not(path: str) -> None:
    """The list is exact."""
    assert judge_protection(entry(path), ()) is None


def test_the_repositorys_own_list_names_its_own_setting() -> None:
    """People read which setting would let it through."""
    refusal = judge_protection(entry("billing/tax.py"), ("billing/**",))
    assert str(refusal) == "billing/tax.py: protected by `billing/**` (setting: protected_paths)"


@pytest.mark.parametrize(
    "path",
    [
        "../x",
        "a/../../x",
        "/etc/x",
        "a//x",
        "./x",
        "C:/x",
        "a\\..\\x",
        ".git/config",
        "a/.GIT/config",
        ".git./x",
        ".git /x",
        ".git::$INDEX_ALLOCATION/x",
        "GIT~1/config",
        "a\\.git\\hooks\\pre-commit",
        ".g\u200cit/config",
        "\ufeff.git/config",
        "sub/.git",
        "two\nlines",
        "\x1b[2J",
    ],
)
def test_names_that_leave_the_repository_or_enter_a_git_directory_are_refused(path: str) -> None:
    """Git refuses most of them itself; we do not rely on it. No setting lets them through."""
    refusal = judge_name(entry(path))
    assert refusal is not None
    assert refusal.setting == ""
    assert str(refusal).isprintable()


@pytest.mark.parametrize("path", [".gitignore", "a/.gitkeep", "git/config", "digit.py", "a b/ö.py", "...", "gitx~1"])
def test_ordinary_names_are_not(path: str) -> None:
    """However close."""
    assert judge_name(entry(path)) is None


def test_a_nested_repository_is_refused() -> None:
    """Added, or moved to another commit."""
    assert str(judge_name(entry("vendor/x", "160000"))) == "vendor/x: a nested repository or submodule"
    assert judge_name(entry("vendor/x", "160000", "160000")) is not None


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
    ("added", "old", "other"),
    [
        ("README.md", ["readme.md"], "readme.md"),
        ("Docs/a.md", ["docs/b.md"], "docs"),
        ("DOCS", ["docs/b.md"], "docs"),
        ("e\u0301.py", ["\u00e9.py"], "\u00e9.py"),
        ("straße", ["STRASSE"], "STRASSE"),
    ],
)
def test_a_new_name_that_is_another_one_elsewhere_is_refused(added: str, old: list[str], other: str) -> None:
    """A link in place of a folder once made git write outside of the repository."""
    expected = Refusal(added, f"the same name as `{other}` where letter case does not count")
    assert judge_collisions([entry(added)], [*old, added]) == [expected]


def test_two_new_names_collide_with_each_other() -> None:
    """Whatever was there before."""
    assert [one.path for one in judge_collisions([entry("a"), entry("A")], ["a", "A"])] == ["A"]


def test_what_collided_before_is_its_owners_business() -> None:
    """A new file in one of two such folders is no new collision; a renamed file collides with nothing."""
    assert judge_collisions([entry("docs/new.md")], ["Docs/a.md", "docs/b.md", "docs/new.md"]) == []
    assert judge_collisions([entry("README.md"), entry("Readme.md", "000000", "100644")], ["README.md"]) == []
    assert judge_collisions([entry("12:30.log")], ["12:40.log", "12:30.log"]) == []


def test_an_embedded_bare_repository_is_refused() -> None:
    """Git would read its configuration when somebody enters the folder; a file called HEAD alone is nothing."""
    paths = ["x/HEAD", "x/objects/.keep", "x/refs/.keep", "x/config"]
    assert [one.path for one in judge_bare_repositories(map(entry, paths))] == ["x/HEAD"]
    assert judge_bare_repositories(map(entry, ["x/HEAD", "y/objects/a", "x/refs/b"])) == []

"""Which files an issue names, in the ways in which people name files."""

import pytest

from app.planning.evidence import touched_files
from shared.issue_text import read_issue
from tests.planning.batches import issue, tree

TREE = tree(
    "Makefile",
    "README.md",
    "src/auth.py",
    "src/api/rate-limit/client.py",
    "src/web/App.tsx",
    "src/web/[id]/page.tsx",
    "go/cmd/run.go",
    "pkg/a/util.py",
    "pkg/b/util.py",
    "src/billing/tax.py",
    "tests/test_auth.py",
    "docs/my guide.md",
    ".github/workflows/ci.yml",
    "Größe/maß.py",
)


def named(body: str, title: str = "x") -> dict[str, float]:
    """Files and probabilities."""
    return {touch.path: touch.probability for touch in touched_files(read_issue(issue(1, body, title=title)), TREE)}


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ("src/auth.py compares", "src/auth.py"),
        ("see ./src/auth.py.", "src/auth.py"),
        ("(src/auth.py:12)", "src/auth.py"),
        ("src/auth.py#L3-L9, then", "src/auth.py"),
        ("src\\auth.py", "src/auth.py"),
        ("+++ b/src/auth.py", "src/auth.py"),
        ("https://github.com/o/r/blob/main/src/auth.py#L3", "src/auth.py"),
        ("rate-limit/client.py", "src/api/rate-limit/client.py"),
        ("`app.tsx` flickers", "src/web/App.tsx"),
        ("in `src/web/[id]/page.tsx`", "src/web/[id]/page.tsx"),
        ("run.go panics", "go/cmd/run.go"),
        ("billing.tax.rate is wrong", "src/billing/tax.py"),
        ("`docs/my guide.md`", "docs/my guide.md"),
        ("the Makefile", "Makefile"),
        (".github/workflows/ci.yml", ".github/workflows/ci.yml"),
        ("Größe/maß.py", "Größe/maß.py"),
        ("```\nFile src/auth.py, line 3\n```", "src/auth.py"),
    ],
)
def test_a_named_file_is_found(body: str, path: str) -> None:
    """Paths, ends of paths, base names, modules and links, with any extension and hyphens."""
    assert named(body)[path] >= 0.7


def test_an_ambiguous_name_is_spread() -> None:
    """Two files are called util.py: each is half as likely, and the text that gives the folder decides."""
    assert named("`util.py` leaks") == {"pkg/a/util.py": 0.3982, "pkg/b/util.py": 0.3982}
    assert named("`a/util.py` leaks") == {"pkg/a/util.py": 0.9}


def test_folders_and_globs_give_each_file_a_share() -> None:
    """A folder of two is not "both for sure"; a declared scope is surer than a mention."""
    assert named("somewhere in `pkg/`") == {"pkg/a/util.py": 0.5, "pkg/b/util.py": 0.5}
    assert named("Scope: pkg/**") == {"pkg/a/util.py": 0.9, "pkg/b/util.py": 0.9}
    assert named("### Files\n\nsrc/auth.py")["src/auth.py"] == 0.95
    assert named("`src/**/tax.py`")["src/billing/tax.py"] == 0.5


def test_the_tests_of_a_named_file_come_with_it() -> None:
    """Changing src/auth.py may change tests/test_auth.py."""
    assert named("`src/auth.py`") == {"src/auth.py": 0.9, "tests/test_auth.py": 0.27}


def test_a_new_file_is_expected_only_where_its_folder_exists() -> None:
    """ "Create src/limits/api.py" names a place of the repository, "foo/bar.py" does not."""
    assert named("Create src/limits/api.py") == {"src/limits/api.py": 0.75}
    assert named("like foo/bar.py") == {}


@pytest.mark.parametrize(
    "body",
    [
        "Node.js 3.11 e.g. and/or",
        "../../etc/passwd",
        "~/x",
        "/",
        "the readme and tests",
        "> src/auth.py",
        "https://auth.py.example/x.html",
    ],
)
def test_what_names_nothing_gives_nothing(body: str) -> None:
    """Words, versions, quotes and paths that lead out of the tree."""
    assert named(body) == {}


def test_a_word_that_is_a_files_name_is_weak() -> None:
    """A title that says "tax" may mean tax.py; it never keeps two tasks apart."""
    assert named("", title="Wrong taxes") == {}
    assert named("the auth is slow", title="Auth") == {"src/auth.py": 0.3}

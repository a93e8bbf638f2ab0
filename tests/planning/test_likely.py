"""Each rung of the ladder on a small real repository: the file that it finds, the source, the reason."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.facts.index import read_index
from app.facts.tree import list_folder
from app.planning.contents import Wanted, read_contents
from app.planning.likely import Analyst, Index, wanted
from app.planning.names import Names
from app.planning.past import Commit, Past
from shared.issue_text import read_issue
from tests.planning.batches import issue, tree
from tests.planning.repositories import FILLER, commit, likely, touch_of


def test_what_the_text_names_stays_the_strongest(tmp_path: Path) -> None:
    """A declared scope and a named path keep their probability and their reason, whatever history says."""
    commit(tmp_path / "r", "Begin", FILLER)
    for number in range(5):
        commit(tmp_path / "r", "Make totals faster", {"src/part3.py": f"# {number}\n"})
    scoped = likely(tmp_path / "r", "Make totals faster", "Scope: src/part1.py\n\nSee `src/part2.py`.")
    assert [(touch.path, touch.source) for touch in scoped[:2]] == [("src/part1.py", "declared scope"), ("src/part2.py", "named")]
    assert scoped[0].probability == 0.95
    assert scoped[1].probability == 0.9


def test_a_symbol_leads_to_the_file_that_defines_it(tmp_path: Path) -> None:
    """`parse_ledger` is used in two files and defined in one."""
    more = "".join(f"total_{number} = count_{number}()\n" for number in range(20))
    uses = {f"src/part{number}.py": f"from books import parse_ledger\n\nparse_ledger()\n{more}" for number in (4, 5)}
    commit(tmp_path / "r", "Begin", {**FILLER, **uses, "src/books.py": "def parse_ledger(text):\n    return text\n"})
    first = likely(tmp_path / "r", "`parse_ledger` raises on an empty line")[0]
    assert (first.path, first.source) == ("src/books.py", "symbol")
    assert first.why == "defines a name that the text uses"


def test_an_imported_neighbour_comes_with_the_file_that_is_named(tmp_path: Path) -> None:
    """orders.py imports money.py: an issue about orders may touch both, and says why."""
    commit(tmp_path / "r", "Begin", FILLER)
    commit(tmp_path / "r", "Add money", {"src/money.py": "VALUE = 1\n"})
    commit(tmp_path / "r", "Add orders", {"src/orders.py": "import money\n"})
    touch = touch_of(likely(tmp_path / "r", "Wrong sums", "`src/orders.py` adds wrongly."), "src/money.py")
    assert touch is not None
    assert (touch.source, touch.why) == ("imports", "imports src/orders.py, or is imported by it")


def test_what_changed_together_is_expected_together(tmp_path: Path) -> None:
    """schema.sql changed whenever models.py did, and shares no word with the issue."""
    commit(tmp_path / "r", "Begin", {**FILLER, "src/models.py": "A = 0\n", "db/schema.sql": "-- 0\n"})
    for number in range(6):
        commit(tmp_path / "r", f"Round {number}", {"src/models.py": f"A = {number}\n#\n", "db/schema.sql": f"-- {number}\n#"})
    for number in range(12):
        commit(tmp_path / "r", f"Other work {number}", {f"src/part{number}.py": f"# {number}\n"})
    found = likely(tmp_path / "r", "Longer names", "`src/models.py` cuts them.")
    touch = touch_of(found, "db/schema.sql")
    assert touch is not None
    assert touch.source in {"co-change", "history"}
    assert touch.probability > max(one.probability for one in found if "part" in one.path)


def test_a_past_change_in_the_same_words_leads_to_its_files(tmp_path: Path) -> None:
    """Nothing in the tree says "umlauts": only a message did, and it is named by its commit."""
    commit(tmp_path / "r", "Begin", {**FILLER, "src/encode.py": "X = 1\n"})
    commit(tmp_path / "r", "Keep umlauts in exported names", {"src/encode.py": "X = 2\n"})
    for number in range(12):
        commit(tmp_path / "r", f"Other work {number}", {f"src/part{number}.py": f"# {number}\n"})
    first = likely(tmp_path / "r", "Umlauts are lost in exported names")[0]
    assert (first.path, first.source) == ("src/encode.py", "history")


def test_similar_text_is_enough_without_a_past(tmp_path: Path) -> None:
    """A plain folder: the file that speaks of retries and backoff comes first, well below what counts as certain."""
    for name, text in {**FILLER, "src/client.py": "# retry with backoff when the server answers 429\n"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    asked = read_issue(issue(1, title="Retry without backoff on 429"))
    first = Analyst(read_index(list_folder(tmp_path), wanted([asked]))).touches(asked)[0]
    assert (first.path, first.source) == ("src/client.py", "similar text")
    assert first.probability < 0.9


def test_the_scope_of_a_conventional_title_is_a_place(tmp_path: Path) -> None:
    """`fix(router):` speaks of the folder router."""
    commit(tmp_path / "r", "Begin", {**FILLER, "src/router/index.py": "A = 1\n"})
    first = likely(tmp_path / "r", "fix(router): nothing is found")[0]
    assert first.path == "src/router/index.py"


def test_a_changelog_is_expected_only_where_it_is_named(tmp_path: Path) -> None:
    """It changes with everything, so that it would be everybody's likeliest file."""
    for number in range(6):
        commit(tmp_path / "r", f"Work {number}", {**FILLER, "CHANGELOG.md": str(number), "src/a.py": str(number)})
    assert touch_of(likely(tmp_path / "r", "Work on a"), "CHANGELOG.md") is None
    assert touch_of(likely(tmp_path / "r", "Work on a", "`CHANGELOG.md`"), "CHANGELOG.md") is not None


_WORDS = st.sampled_from(
    [
        "router",
        "session",
        "parse_total",
        "Client",
        "README.md",
        "src/a.py",
        "test",
        "docs",
        "fix(core):",
        "1.2.3",
        "`",
        "```",
        "umläut",
        "\x00",
    ]
)
_PATHS = ("README.md", "core/b.go", "src/Client.ts", "src/a.py", "src/session.py", "tests/test_a.py")


@settings(max_examples=60, deadline=None)
@given(
    title=st.lists(_WORDS, max_size=6).map(" ".join),
    bodies=st.lists(st.lists(_WORDS, max_size=30).map(" ".join), min_size=6, max_size=6),
    past=st.lists(st.tuples(st.lists(_WORDS, max_size=5).map(" ".join), st.lists(st.sampled_from(_PATHS), max_size=6)), max_size=8),
)
def test_any_input_gives_the_same_probabilities_each_time(title: str, bodies: list[str], past: list[tuple[str, list[str]]]) -> None:
    """Between 0 and 1, sorted, at most twenty, the same for files read in another order."""
    text = read_issue(issue(1, bodies[0], title=title))
    files = tree(*_PATHS)
    contents = [(number, body.encode()) for number, body in enumerate(bodies)]
    commits = Past(tuple(Commit("abc", message, tuple(dict.fromkeys(paths))) for message, paths in past))
    asked = wanted([text])
    once, again = (
        Analyst(Index(Names(files), read_contents(files, order, asked), commits)).touches(text)
        for order in (contents, contents[::-1])
    )
    assert once == again
    assert all(0 < touch.probability <= 1 and touch.source and touch.why for touch in once)
    assert [touch.probability for touch in once] == sorted((touch.probability for touch in once), reverse=True)
    assert len(once) <= 20


@pytest.mark.parametrize("data", [b"\0\1\2", b"", b"\xff\xfe caf\xe9 router", b"router " * 20_000])
def test_contents_of_any_kind_are_read(data: bytes) -> None:
    """Binary, empty, not UTF-8, long: words where there are some."""
    contents = read_contents(tree("a"), [(0, data)], Wanted(frozenset({"router"}), frozenset()))
    assert contents.words == ({"router": (0,)} if b"router" in data else {})

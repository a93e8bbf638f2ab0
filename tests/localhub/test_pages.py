"""Pages for people: what was written is shown, nothing that was written is executed."""

from html.parser import HTMLParser

import httpx
import pytest

from app.localhub import markdown
from tests.localhub.conftest import Project


class _Page(HTMLParser):
    """Collects text and links of a page, and notes what must not be there."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value for name, value in attrs if tag == "a" and name == "href" and value]

    def handle_data(self, data: str) -> None:
        self.text += data


def _page(project: Project, path: str) -> _Page:
    answer = httpx.get(project.hub.url + path, trust_env=False)
    assert answer.status_code == 200, answer.text
    assert "script-src" not in answer.headers["content-security-policy"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    return _Page(answer.text)


def _with_everything(project: Project) -> None:
    """An issue with a blocker, a pull request with review and comment, a check run with remarks."""
    blocker = project.maintainer.open_issue(project.name, "First <b>this</b>", "Text with `code`.\n\n<!-- hidden:marker -->")
    project.maintainer.open_issue(project.name, "Größe ist falsch ../..", "It should be **two**.", ["shoal"])
    project.maintainer.block(project.name, 2, blocker["id"])
    sha = project.hub.commit(project.name, "work", {"widgets.py": "def size() -> int:\n    return 2\n"}, login="mona")
    project.maintainer.open_pull(project.name, "work", title="Size is two", body="Closes #2")
    project.maintainer.comment(project.name, 3, "Seen.")
    app = project.app_client()
    app.post(f"{project.path}/pulls/3/reviews", json={"event": "COMMENT", "body": "Looks right."})
    remark = {"path": "widgets.py", "start_line": 2, "end_line": 2, "annotation_level": "warning", "message": "Magic number"}
    output = {"title": "1 of 1 done", "summary": "| issue | verdict |\n|---|---|\n| #2 | green |", "annotations": [remark]}
    run = {"name": "Shoal", "head_sha": sha, "conclusion": "success", "output": output}
    app.post(f"{project.path}/check-runs", json=run)


def test_every_page_is_reached_by_links_and_shows_what_was_written(project: Project) -> None:
    """From the first page on, each link within the server answers, and each thing is on some page."""
    _with_everything(project)
    seen: dict[str, _Page] = {}
    waiting = ["/"]
    while waiting:
        path = waiting.pop().partition("#")[0]
        if path.startswith("?"):
            continue
        if path not in seen:
            seen[path] = _page(project, path)
            waiting += [link for link in seen[path].links if link.startswith("/")]
    everything = " ".join(page.text for page in seen.values())
    for words in (
        "Größe ist falsch ../..",
        "Blocked by",
        "Looks right.",
        "Seen.",
        "1 of 1 done",
        "Magic number",
        "return 2",
        "git says: clean",
    ):
        assert words in everything
    assert "hidden:marker" not in everything
    assert not {"script", "b"} & set().union(*(page.tags for page in seen.values()))
    assert "table" in next(page for path, page in seen.items() if "/runs/" in path).tags


def test_a_diff_shows_what_went_and_what_came(project: Project) -> None:
    """Line by line, told apart by more than colour."""
    _with_everything(project)
    page = httpx.get(f"{project.hub.url}/{project.name}/pull/3", trust_env=False).text
    assert '<span class="removed">-    return 1' in page
    assert '<span class="added">+    return 2' in page


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("a <img src=x onerror=alert(1)> b", "<p>a &lt;img src=x onerror=alert(1)&gt; b</p>\n"),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>\n"),
        ("before <!-- secret --> after", "<p>before  after</p>\n"),
        ("<!-- secret\n\nstill -->", ""),
        ("<!-- never closed", ""),
        ("`<!-- shown -->`", "<p><code>&lt;!-- shown --&gt;</code></p>\n"),
        (
            "<details><summary>More</summary>\n\n*text*\n\n</details>",
            "<details><summary>More</summary>\n<p><em>text</em></p>\n</details>",
        ),
        ('<details open onclick="x()">', "&lt;details open onclick=&quot;x()&quot;&gt;"),
    ],
)
def test_markdown_is_shown_and_never_executed(text: str, shown: str) -> None:
    """Raw HTML is text, comments are hidden outside code, and only bare harmless tags stay tags."""
    assert markdown.render(text).strip("\n") == shown.strip("\n")


def test_what_is_not_there_is_404(project: Project) -> None:
    """Unknown repository, number, file and commit."""
    for path in (
        "/acme/nothing",
        "/acme/widgets/pull/9",
        "/acme/widgets/blob/main/no.py",
        "/acme/widgets/commit/feedbeef",
        "/acme/widgets/runs/1",
    ):
        assert httpx.get(project.hub.url + path, trust_env=False).status_code == 404

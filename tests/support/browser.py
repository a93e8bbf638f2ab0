"""A browser as far as forms need one: pages, their forms with all fields, and redirects followed by hand."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx


@dataclass
class Form:
    """What would be sent; `fields` may be changed before."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(found.get("action", ""), found.get("method", "get").lower()))
        elif tag in {"input", "button"} and found.get("name"):
            self.forms[-1].fields[found["name"]] = found.get("value", "")
        elif tag == "a" and found.get("href"):
            self.links.append(found["href"])


@dataclass(frozen=True)
class Page:
    """An answer that a person looks at."""

    url: str
    status: int
    text: str
    headers: httpx.Headers

    @property
    def forms(self) -> list[Form]:
        return self._read().forms

    @property
    def links(self) -> list[str]:
        return [urljoin(self.url, link) for link in self._read().links]

    def _read(self) -> _Reader:
        reader = _Reader()
        reader.feed(self.text)
        return reader


class Browser:
    """One person's; it follows redirects to other sites as a real one does."""

    def __init__(self) -> None:
        self._http = httpx.Client(trust_env=False, timeout=30, follow_redirects=True, verify=False)

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, url: str) -> Page:
        return _page(self._http.get(url))

    def submit(self, page: Page, form: Form, **fields: str) -> Page:
        """The form with these fields changed."""
        url, values = urljoin(page.url, form.action or page.url), {**form.fields, **fields}
        if form.method == "post":
            return _page(self._http.post(url, data=values))
        return _page(self._http.get(url, params=values))


def _page(answer: httpx.Response) -> Page:
    return Page(str(answer.url), answer.status_code, answer.text, answer.headers)

"""Reads JUnit XML as untrusted text: streamed, without document types (so without entities), within a size."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.parsers.expat import ExpatError, ParserCreate

from runner.suite.counts import Counts, together

# Of all files together; more is not evidence but a flood.
BYTES_LIMIT = 64 * 1024 * 1024
_WORDS_LIMIT = 20_000
_OUTPUT_LIMIT = 2_000
_CHUNK = 256 * 1024

# Signs that XML cannot hold, raw or as a reference: test runners copy them from the tests' output.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]|&#(?:x0*(?:[0-8bcefBCEF]|1[0-9a-fA-F])|0*(?:[0-8]|1[1245-9]|2[0-9]|3[01]));"
)
_ENCODING = re.compile(rb"""<\?xml[^>]*encoding=["']([\w.-]+)["']""")
_SIMPLE_ENCODINGS = {"iso-8859-1", "latin-1", "latin1", "us-ascii", "windows-1252", "cp1252"}


class _Refused(Exception):
    """A document type stands in it."""


def read_junit(reports: Mapping[str, bytes]) -> Counts | None:
    """All files as one; None when none of them can be read."""
    found: list[Counts] = []
    unread, budget = 0, BYTES_LIMIT
    for _, data in sorted(reports.items()):
        budget -= len(data)
        counts = _read_one(data) if budget >= 0 else None
        unread += counts is None and bool(data.strip())
        found += [counts] if counts else []
    all_counts = together(found)
    if all_counts is None or not unread:
        return all_counts
    return all_counts._replace(source=f"{all_counts.source} ({unread} of {len(reports)} files could not be read)")


def written_by(reports: Mapping[str, bytes]) -> str:
    """The runner whose words in the output these files replace; empty when nothing tells."""
    if any(re.search(r"(?:^|/)TEST-[^/]*\.xml$", name) for name in reports):
        return "jvm"
    return "pytest" if any(re.search(rb"<testsuite\b[^>]*\bname=\"pytest\"", data[:2000]) for data in reports.values()) else ""


def _read_one(data: bytes) -> Counts | None:
    """None when it is no JUnit file."""
    reader = _Reader()
    parser = ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = reader.refuse
    text = _decoded(data)
    try:
        for begin in range(0, len(text), _CHUNK):
            parser.Parse(text[begin : begin + _CHUNK], False)
        parser.Parse("", True)
    except (ExpatError, _Refused):
        return None
    return reader.counts() if reader.is_junit else None


def _decoded(data: bytes) -> str:
    """The text, whatever it says of its own encoding; bad bytes are shown as such."""
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        text = data.decode("utf-16", "replace")
    else:
        declared = _ENCODING.match(data[:200].lstrip())
        name = declared[1].decode().lower() if declared else "utf-8"
        text = data.decode(name if name in _SIMPLE_ENCODINGS else "utf-8-sig", "replace")
    return _FORBIDDEN.sub("\ufffd", text.lstrip())


@dataclass
class _Reader:
    """Goes through the elements once; holds no more than the failing tests' words."""

    is_junit: bool = False
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    words: dict[str, str] = field(default_factory=dict)
    _name: str = ""
    _result: str = ""
    _in: str = ""
    _said: list[str] = field(default_factory=list)
    _printed: str = ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        tag = tag.rpartition(":")[2]
        if tag in {"testsuite", "testsuites"}:
            self.is_junit = True
        elif tag == "testcase":
            self._name = f"{attributes.get('classname', '')}.{attributes.get('name', '')}".strip(".")[:1000] or "(unnamed)"
            self._result, self._in, self._said, self._printed = "passed", "", [], ""
        elif self._name:
            self._in = tag
            if tag in {"failure", "error"}:
                self._result = "failed"
                self._said.append(attributes.get("message", "")[:_WORDS_LIMIT] + "\n")
            elif tag == "skipped" and self._result == "passed":
                self._result = "skipped"

    def text(self, data: str) -> None:
        if self._in in {"failure", "error"}:
            if sum(map(len, self._said)) < 2 * _WORDS_LIMIT:
                self._said.append(data[:_WORDS_LIMIT])
        elif self._in in {"system-out", "system-err"}:
            self._printed = (self._printed + data[-_OUTPUT_LIMIT:])[-_OUTPUT_LIMIT:]

    def end(self, tag: str) -> None:
        tag = tag.rpartition(":")[2]
        if tag != "testcase":
            self._in = ""
            return
        if self._result == "failed":
            self.failed += 1
            self._keep_words()
        self.passed += self._result == "passed"
        self.skipped += self._result == "skipped"
        self._name = ""

    def refuse(self, *_: object) -> None:
        raise _Refused

    def counts(self) -> Counts:
        return Counts("JUnit XML", self.passed, self.failed, self.skipped, tuple(self.words), self.words)

    def _keep_words(self) -> None:
        """The message stands in the text again, mostly; ten thousand failures keep their names only."""
        message, text = self._said[0].strip(), "".join(self._said[1:]).strip()
        said = text if message in text else f"{message}\n{text}".strip()
        printed = f"\nprinted:\n{self._printed.strip()}" if self._printed.strip() else ""
        limit = _WORDS_LIMIT if len(self.words) < 100 else 200
        self.words.setdefault(self._name, (said[:limit] + printed)[: 2 * limit])

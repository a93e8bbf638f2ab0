"""JUnit files: as real runners wrote them, and as somebody hostile would."""

from pathlib import Path

import psutil
import pytest

from runner.suite.junit import read_junit

RECORDED = Path(__file__).parent / "recorded"


@pytest.mark.parametrize(
    ("pattern", "numbers", "failing"),
    [
        ("pytest.xml", (1, 5, 1), "test_words.test_each[a b]"),
        ("vitest.xml", (3, 2, 1), "words.test.js.suite > inner bad"),
        ("node.xml", (2, 2, 1), "test.inner bad"),
        ("TEST-*.xml", (2, 2, 1), "org.example.WordsTest.broken"),
    ],
)
def test_every_runners_report_is_read(pattern: str, numbers: tuple[int, int, int], failing: str) -> None:
    """Several files are one run; suites may be nested; a failing test's own words come along."""
    counts = read_junit({path.name: path.read_bytes() for path in RECORDED.glob(pattern)})
    assert counts is not None
    assert (counts.passed, counts.failed, counts.skipped) == numbers
    assert failing in counts.failing
    assert all(counts.words[name] for name in counts.failing)


def test_what_a_failing_test_printed_belongs_to_its_words() -> None:
    """Surefire keeps it beside the failure."""
    counts = read_junit({path.name: path.read_bytes() for path in RECORDED.glob("TEST-*.xml")})
    assert counts is not None
    assert counts.words["org.example.WordsTest.bad"].endswith("printed:\ncounting")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no xml",
        b"<html/>",
        b"<testsuite><testcase",
        b'<!DOCTYPE x [<!ENTITY a "b">]><testsuite/>',
        b'<?xml version="1.0"?><!DOCTYPE testsuite SYSTEM "file:///etc/passwd"><testsuite/>',
    ],
)
def test_what_is_no_report_is_none(data: bytes) -> None:
    """A document type could read files and fill memory."""
    assert read_junit({"x.xml": data}) is None


@pytest.mark.parametrize(
    "data",
    [
        b'<testsuite><testcase name="a"><failure>\x00\x1b[31mred\xff&#x1B;&#0;</failure></testcase></testsuite>',
        b'<j:testsuite xmlns:j="urn:x"><j:testcase name="a"><j:failure>red</j:failure></j:testcase></j:testsuite>',
        b'\xef\xbb\xbf<?xml version="1.0" encoding="utf8"?><testsuite><testcase name="a"><error>red</error></testcase></testsuite>',
        b'<?xml version="1.0" encoding="ISO-8859-1"?><testsuite><testcase name="a"><error>red \xe9</error></testcase></testsuite>',
        '<testsuite><testcase name="a"><error>red</error></testcase></testsuite>'.encode("utf-16"),
        b'<testsuite><testcase name="a"><failure><![CDATA[<!DOCTYPE html> red]]></failure></testcase></testsuite>',
    ],
)
def test_odd_but_honest_files_are_read(data: bytes) -> None:
    """Bad bytes, signs that XML forbids, name spaces, other encodings, a page of HTML in a message."""
    counts = read_junit({"x.xml": data})
    assert counts is not None
    assert counts[:5] == ("JUnit XML", 0, 1, 0, ("a",))
    assert "red" in counts.words["a"]


def test_a_file_that_cannot_be_read_is_told() -> None:
    """The others count."""
    good = b'<testsuite><testcase name="a"/></testsuite>'
    counts = read_junit({"a.xml": good, "b.xml": b"<testsuite><testc"})
    assert counts is not None
    assert counts.source == "JUnit XML (1 of 2 files could not be read)"


@pytest.mark.slow
def test_fifty_megabytes_cost_little_more_than_themselves() -> None:
    """Ten thousand failing tests with 5 kB each: no tree is built."""
    case = '<testcase classname="c" name="n{}"><failure message="m">' + "x" * 5000 + "</failure></testcase>"
    data = ("<testsuite>" + "".join(case.format(number) for number in range(10_000)) + "</testsuite>").encode()
    before = psutil.Process().memory_info().rss
    counts = read_junit({"x.xml": data})
    assert counts is not None
    assert counts.failed == len(counts.failing) == 10_000
    assert sum(map(len, counts.words.values())) < 6_000_000
    assert psutil.Process().memory_info().rss - before < 5 * len(data)

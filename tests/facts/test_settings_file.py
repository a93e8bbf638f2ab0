"""The settings file of a repository: right ones are read, wrong ones name line and fix."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.facts.settings_file import SettingsMistake, parse


def test_everything_has_a_default() -> None:
    """An empty file, or one with comments only, changes nothing."""
    assert parse("") == parse("# nothing\n")
    assert parse("test_command: make test\nprotected_paths: [infra/**]\n").protected_paths == ("infra/**",)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("test_minutes: 5\ntest_comand: make\n", 2, "did you mean `test_command`?"),
        ("colour: red\n", 1, "known are: agent, agent_minutes"),
        ("\n\ntest_minutes: soon\n", 3, "`test_minutes`: input should be a valid number"),
        ("test_minutes: -1\n", 1, "greater than 0"),
        ("- test_command\n", 1, "`key: value` lines"),
        ("test_command: [a\nb: c\n", 2, "not valid YAML"),
        ("setup_command: a\nsetup_command: b\n", 2, "set twice"),
        ("a: &x [1]\nb: *x\n", 2, "aliases"),
        ("test_command: 2026-01-01\n", 1, ""),
        ("x" * 17_000, 1, "larger than 16 KiB"),
        ("protected_paths: " + "[" * 16_000, 1, "nested too deeply"),
        ("- " * 8_000, 1, "nested too deeply"),
        ("\ntest_command: !!python/object:os.system x\n", 2, "tags"),
        ("test_minutes: " + "1" * 5000, 1, "cannot be read"),
        ("test_command: 2026-02-31\n", 1, "cannot be read"),
        ("? [a]\n: b\n", 1, "not valid YAML"),
        ("test_command: a\n---\ntest_command: b\n", 2, "not valid YAML"),
    ],
)
def test_a_mistake_names_its_line_and_the_fix(text: str, line: int, words: str) -> None:
    """A date where text is asked for is taken as its text; everything else is an error."""
    try:
        found = parse(text)
    except SettingsMistake as mistake:
        assert (mistake.line, words in mistake.message) == (line, True), mistake  # noqa: PT017 both ends are checked
    else:
        assert words == ""
        assert found.test_command == "2026-01-01"


@given(st.text(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_text_is_read_or_refused_by_line(text: str) -> None:
    """Never anything but settings or a mistake."""
    try:
        parse(text)
    except SettingsMistake as mistake:
        assert mistake.line >= 1  # noqa: PT017 either outcome is right

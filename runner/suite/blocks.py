"""Cuts the failing tests' own words out of an output."""

from collections.abc import Callable, Iterable

_LINES_LIMIT = 400


def blocks(lines: Iterable[str], heading: Callable[[str], str], is_end: Callable[[str], bool]) -> dict[str, str]:
    """From each line for which `heading` gives a name to the next heading or end; the first words of a name count."""
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for line in lines:
        if name := heading(line):
            current = found.setdefault(name, [])
            if current:
                current = []  # said again, in a summary
        elif is_end(line):
            current = []
            continue
        elif not found:
            continue
        if len(current) < _LINES_LIMIT:
            current.append(line)
    return {name: "\n".join(words).strip("\n") for name, words in found.items()}

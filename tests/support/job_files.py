"""The files and the log of a step, read as GitHub's own runner reads them."""

import re
from dataclasses import dataclass, field
from pathlib import Path

# Source: actions/runner, FileCommandManager and ActionCommandManager.
_COMMAND = re.compile(r"::[\w-]+.*::")


@dataclass
class Heard:
    """What the runner took from a log: secrets to hide, and every other command."""

    masks: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)


def outputs_of(file: Path) -> dict[str, str]:
    """A step's outputs; a line that is neither `name=value` nor the begin of a longer value is an error, as for GitHub."""
    found: dict[str, str] = {}
    lines = iter(file.read_text(encoding="utf-8").split("\n"))
    for line in lines:
        if not line:
            continue
        name, long, end = line.partition("<<")
        if not long or "=" in name:
            name, short, value = line.partition("=")
            assert short, f"GitHub's runner refuses the line {line!r}"
            found[name] = value
            continue
        value_lines: list[str] = []
        for value_line in lines:
            if value_line == end:
                break
            value_lines.append(value_line)
        else:
            raise AssertionError(f"the value of {name} has no end")
        found[name] = "\n".join(value_lines)
    return found


def heard(log: str) -> Heard:
    """Obeys `::stop-commands::WORD` until `::WORD::`."""
    found, word = Heard(), ""
    for line in map(str.strip, log.splitlines()):
        if word:
            word = "" if line == f"::{word}::" else word
        elif line.startswith("::stop-commands::"):
            word = line.removeprefix("::stop-commands::")
        elif line.startswith("::add-mask::"):
            found.masks.append(_unescaped(line.removeprefix("::add-mask::")))
        elif _COMMAND.match(line):
            found.commands.append(line)
    return found


def _unescaped(text: str) -> str:
    return text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")

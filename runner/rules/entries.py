"""What a change consists of, as git records it, and what a rule says against it."""

from pathlib import Path
from typing import NamedTuple

from shared.git import git
from shared.log import redact

GITLINK, SYMLINK, NOTHING = "160000", "120000", "000000"


class Entry(NamedTuple):
    """One changed path; `mode` and `blob` after the change, `was` the mode before; NOTHING where there is no such path."""

    path: str
    mode: str
    blob: str
    was: str = NOTHING

    @property
    def is_kept(self) -> bool:
        """There is a file or link afterwards."""
        return self.mode not in {NOTHING, GITLINK}


class Refusal(NamedTuple):
    """`setting` is what a person could change to let it through, empty: nothing could; `line` 0: the whole file."""

    path: str
    rule: str
    setting: str = ""
    line: int = 0

    def __str__(self) -> str:
        """On one line and without what it refuses: it stands in logs and on GitHub."""
        place = f"{shown(self.path)}:{self.line}" if self.line else shown(self.path)
        return f"{place}: {self.rule}" + (f" (setting: {self.setting})" if self.setting else "")


def shown(text: str) -> str:
    """A name or target for people: no secret, no control characters, not endless."""
    clean = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)
    return redact(clean)[:300]


def changed_entries(quarantine: Path, start: str, head: str) -> list[Entry]:
    """Every path that differs; a renamed one is its deletion and its addition."""
    raw = git("diff-tree", "-r", "--raw", "-z", "--no-renames", "--no-abbrev", start, head, cwd=quarantine)
    return listed(raw)


def listed(raw: str) -> list[Entry]:
    """What `git diff-tree -r --raw -z --no-abbrev` printed."""
    fields = raw.split("\0")
    records = [(fields[index].lstrip(":").split(), fields[index + 1]) for index in range(0, len(fields) - 1, 2)]
    return [Entry(path, mode=columns[1], blob=columns[3], was=columns[0]) for columns, path in records]

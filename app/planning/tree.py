"""The files of a repository as one sorted list, and the ways in which people name them."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import translate
from functools import cached_property
from itertools import accumulate


@dataclass(frozen=True)
class Tree:
    """Paths of a tree, with `/` between their parts; names that are not UTF-8 hold `\\xNN` in place of such bytes.

    `foreign`: where sub-modules lie. What is there and below is another repository's, and no part of this tree.
    """

    paths: tuple[str, ...]
    foreign: frozenset[str] = frozenset()

    @cached_property
    def files(self) -> frozenset[str]:
        """For membership."""
        return frozenset(self.paths)

    def is_foreign(self, path: str) -> bool:
        """At or below a sub-module."""
        return bool(self.foreign) and not self.foreign.isdisjoint((path.rstrip("/"), *folders_of(path)))

    @cached_property
    def by_name(self) -> dict[str, tuple[str, ...]]:
        """Paths by their last part in lower case."""
        return _grouped((name_of(path).lower(), path) for path in self.paths)

    @cached_property
    def by_stem(self) -> dict[str, tuple[str, ...]]:
        """Paths by their last part in lower case without extensions."""
        return _grouped(zip(self.stems, self.paths, strict=True))

    @cached_property
    def stems(self) -> tuple[str, ...]:
        """Of each path the last part in lower case without extensions."""
        return tuple(map(stem_of, self.paths))

    @cached_property
    def by_folder(self) -> dict[str, tuple[str, ...]]:
        """Paths by each folder above them (`a`, `a/b`)."""
        return _grouped((folder, path) for path in self.paths for folder in folders_of(path))

    @cached_property
    def folders_by_name(self) -> dict[str, tuple[str, ...]]:
        """Folders by their last part in lower case."""
        return _grouped((name_of(folder).lower(), folder) for folder in self.by_folder)

    def matching(self, glob: str) -> tuple[str, ...]:
        """Paths that fit; `*` goes across folders, as people use it, and `src/**/x.py` also means `src/x.py`."""
        if glob not in self._matches:
            pattern = re.compile("|".join(translate(form) for form in sorted({glob, glob.replace("**/", "")})))
            head = re.split(r"[*?\[]", glob, maxsplit=1)[0]
            self._matches[glob] = tuple(path for path in self.paths if path.startswith(head) and pattern.match(path))
        return self._matches[glob]

    @cached_property
    def _matches(self) -> dict[str, tuple[str, ...]]:
        return {}


def name_of(path: str) -> str:
    """`src/auth.py` -> `auth.py`."""
    return path.rpartition("/")[2]


def stem_of(path: str) -> str:
    """`src/Auth.test.ts` -> `auth`; `.env` -> `.env`."""
    name = name_of(path).lower()
    return name[:1] + name[1:].partition(".")[0]


def folders_of(path: str) -> list[str]:
    """`a/b/c.py` -> `a`, `a/b`."""
    return list(accumulate(path.split("/")[:-1], "{}/{}".format))


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for key, value in pairs:
        groups[key].append(value)
    return {key: tuple(sorted(values)) for key, values in groups.items()}

"""Optional parts of other people's packages that we do not use: their imports cost memory and time all the same."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast


def hide(*packages: str) -> list[str]:
    """What is imported from now on finds none of these packages; those that were there already stay, the others are returned."""
    modules = cast("dict[str, object]", sys.modules)
    hidden = [name for name in packages if name not in modules]
    modules.update(dict.fromkeys(hidden))  # None is what Python itself means by "there is none"
    return hidden


@contextmanager
def without(*packages: str) -> Iterator[None]:
    """As `hide`, for what is imported in the block only."""
    hidden = hide(*packages)
    try:
        yield
    finally:
        for name in hidden:
            sys.modules.pop(name, None)

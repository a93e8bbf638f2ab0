"""Optional parts of other people's packages that we do not use: their imports cost memory and time all the same."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without(*packages: str) -> Iterator[None]:
    """What is imported in the block finds none of these packages, unless they were there already; later imports do."""
    hidden = [name for name in packages if name not in sys.modules]
    # What Python itself means by "there is none".
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            sys.modules.pop(name, None)

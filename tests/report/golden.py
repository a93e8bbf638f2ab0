"""Texts compared with files that a person reads in review; `SHOAL_REWRITE_GOLDEN=1` writes them anew."""

import os
from pathlib import Path

FOLDER = Path(__file__).parent / "golden"


def matches(name: str, text: str) -> None:
    """Fails with the difference when `text` is not what the file says."""
    file = FOLDER / f"{name}.md"
    if os.environ.get("SHOAL_REWRITE_GOLDEN"):
        FOLDER.mkdir(exist_ok=True)
        file.write_text(text + "\n", encoding="utf-8")
    assert text + "\n" == file.read_text(encoding="utf-8")

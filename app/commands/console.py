"""How commands read their files and print their results: JSON as one document, tables for people."""

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import JsonValue

from shared.errors import UserError


def read_json(file: Path) -> JsonValue:
    """The document in `file` (`-`: standard input), or a UserError with the place of the mistake."""
    try:
        raw = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise UserError(f"{file} cannot be read ({error.strerror}): give a readable JSON file") from error
    try:
        document: JsonValue = json.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise UserError(f"{file} is not UTF-8 (byte {error.start}): save it as UTF-8 JSON") from error
    except json.JSONDecodeError as error:
        raise UserError(f"{file} is not JSON (line {error.lineno}, column {error.colno}): {error.msg}") from error
    except (RecursionError, ValueError) as error:  # nested without end, or a number of thousands of digits
        raise UserError(f"{file} is not usable JSON: {str(error)[:120]}") from error
    return document


def write_text(path: Path, text: str) -> None:
    """In UTF-8; a UserError where that cannot be."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path} cannot be written ({error.strerror}): name a file in a folder that exists") from error


def print_json(document: str) -> None:
    """One document and a line end, in UTF-8 whatever the terminal's encoding."""
    sys.stdout.buffer.write(document.encode() + b"\n")
    sys.stdout.buffer.flush()


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table, or nothing when there are no rows; texts are shown as they are, never as markup or terminal controls."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(str(cell))) for cell in row))
    if table.row_count:
        Console().print(table)


def print_line(text: str) -> None:
    """One plain line."""
    sys.stdout.write(printable(text) + "\n")


def print_lines(text: str) -> None:
    """A text of several lines."""
    for line in text.split("\n"):
        print_line(line.replace("\t", "    "))


def printable(text: str) -> str:
    """Control characters as a visible mark: text of others must not drive the terminal."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)

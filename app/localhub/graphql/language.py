"""GraphQL's text as values: operations with variables, aliases, arguments and inline fragments."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_TOKEN = re.compile(r'\.\.\.|"(?:[^"\\]|\\.)*"|\$?[A-Za-z_]\w*|-?\d+|[{}()\[\]:!=]')
_IGNORED = re.compile(r"[\s,]+|#[^\n]*")


class SyntaxMistake(Exception):
    """The text is not understood; the message is for whoever wrote it."""


@dataclass(frozen=True)
class Field:
    """A field that is asked for, under the name that it shall have in the answer."""

    alias: str
    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    selections: "tuple[Field | Fragment, ...]" = ()


@dataclass(frozen=True)
class Fragment:
    """Fields that only objects of one type have."""

    on: str
    selections: "tuple[Field | Fragment, ...]" = ()


def parse(text: str, variables: Mapping[str, Any]) -> tuple[str, tuple[Field | Fragment, ...]]:
    """`query` or `mutation`, and what is asked for, with the variables put in."""
    reader = _Reader(_tokens(text), variables)
    operation = reader.take() if reader.peek() in {"query", "mutation"} else "query"
    if reader.peek() not in {"{", "("}:
        reader.take()
    if reader.peek() == "(":
        reader.definitions()
    selections = reader.selections()
    if reader.peek():
        raise SyntaxMistake(f"one operation is understood, and then comes {reader.peek()!r}")
    return operation, selections


def _tokens(text: str) -> list[str]:
    found: list[str] = []
    place = 0
    while place < len(text):
        if blank := _IGNORED.match(text, place):
            place = blank.end()
            continue
        token = _TOKEN.match(text, place)
        if token is None:
            raise SyntaxMistake(f"unexpected {text[place]!r} at {place}")
        found.append(token[0])
        place = token.end()
    return found


@dataclass
class _Reader:
    tokens: list[str]
    variables: Mapping[str, Any]
    defined: set[str] = field(default_factory=set)
    place: int = 0

    def peek(self) -> str:
        return self.tokens[self.place] if self.place < len(self.tokens) else ""

    def take(self, wanted: str = "") -> str:
        token = self.peek()
        if not token or (wanted and token != wanted):
            raise SyntaxMistake(f"expected {wanted or 'more'}, found {token or 'the end'!r}")
        self.place += 1
        return token

    def definitions(self) -> None:
        """Types are not checked: a caller's variables are its own."""
        self.take("(")
        while self.peek() != ")":
            token = self.take()
            if token.startswith("$"):
                self.defined.add(token[1:])
        self.take(")")

    def selections(self) -> tuple[Field | Fragment, ...]:
        self.take("{")
        found: list[Field | Fragment] = []
        while self.peek() != "}":
            found.append(self._fragment() if self.peek() == "..." else self._field())
        self.take("}")
        return tuple(found)

    def _fragment(self) -> Fragment:
        self.take("...")
        self.take("on")
        return Fragment(self.take(), self.selections())

    def _field(self) -> Field:
        name = alias = self.take()
        if self.peek() == ":":
            self.take(":")
            name = self.take()
        arguments = self._pairs("(", ")") if self.peek() == "(" else {}
        return Field(alias, name, arguments, self.selections() if self.peek() == "{" else ())

    def _pairs(self, begin: str, end: str) -> dict[str, Any]:
        self.take(begin)
        found: dict[str, Any] = {}
        while self.peek() != end:
            name = self.take()
            self.take(":")
            found[name] = self._value()
        self.take(end)
        return found

    def _value(self) -> Any:
        if self.peek() == "{":
            return self._pairs("{", "}")
        word = self.take()
        if word == "[":
            items: list[Any] = []
            while self.peek() != "]":
                items.append(self._value())
            self.take("]")
            return items
        if word.startswith("$"):
            if word[1:] not in self.defined:
                raise SyntaxMistake(f"Variable {word} is used but not declared")
            return self.variables.get(word[1:])
        if word.startswith('"'):
            return json.loads(word)
        words = {"true": True, "false": False, "null": None}
        return int(word) if word.lstrip("-").isdecimal() else words.get(word, word)

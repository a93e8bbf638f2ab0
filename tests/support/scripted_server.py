"""A small real HTTP server that says what a test wrote down, answer by answer, and remembers what it was asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send


@dataclass(frozen=True)
class Answer:
    """One answer."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Script:
    """Answers by `METHOD /path`; the last one of a list is repeated."""

    answers: dict[str, list[Answer]]
    asked: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        await request.body()
        name = f"{request.method} {request.url.path}"
        self.asked.append(name)
        self.headers.append(dict(request.headers))
        answers = self.answers.get(name, [Answer(404, {"message": "Not Found"})])
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        await JSONResponse(answer.body, answer.status, headers=answer.headers)(scope, receive, send)

    def count(self, name: str) -> int:
        """How often that was asked."""
        return self.asked.count(name)

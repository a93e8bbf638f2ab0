"""What we have written to GitHub: check runs and comments, with the text's hash, so that equal ones are not written again."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from app.store.database import upsert
from app.store.schema import documents


@dataclass(frozen=True)
class Document:
    """A check run or a comment; `conclusion` is empty for comments and while a check is in progress.

    `news` is what it told that nobody may have to wait for; `written_at` counts seconds since the epoch.
    """

    key: str
    orchestration: str
    issue: int | None
    head_sha: str
    github_id: int | None
    hash: str
    conclusion: str
    title: str
    news: str
    written_at: float


def of_orchestration(connection: Connection, orchestration: str) -> dict[str, Document]:
    """By key."""
    rows = connection.execute(select(documents).where(documents.c.orchestration == orchestration))
    return {row.key: Document(**row._mapping) for row in rows}


def get(connection: Connection, key: str) -> Document | None:
    """One document."""
    row = connection.execute(select(documents).where(documents.c.key == key)).first()
    return Document(**row._mapping) if row else None


def put(connection: Connection, document: Document) -> None:
    """Remembers a write that GitHub confirmed."""
    upsert(connection, documents, document.__dict__)

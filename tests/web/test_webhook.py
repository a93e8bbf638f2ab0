"""Stories about webhooks at the door."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.web.webhook import signature
from tests.web.conftest import WEBHOOK_SECRET
from tests.web.front import OneAttempt

LABELLED: dict[str, Any] = {
    "action": "labeled",
    "label": {"name": "shoal"},
    "issue": {"number": 3, "title": "Mend it", "body": None, "user": {"login": "ada"}, "labels": [{"name": "shoal"}]},
    "repository": {"id": 9, "full_name": "o/r", "private": True},
    "installation": {"id": 5},
    "sender": {"login": "ada"},
}


def headers(body: bytes, kind: str = "issues", delivery: str | None = None, **extra: str) -> dict[str, str]:
    return {
        "X-GitHub-Event": kind,
        "X-GitHub-Delivery": delivery or str(uuid4()),
        "X-Hub-Signature-256": signature(WEBHOOK_SECRET, body),
        "Content-Type": "application/json",
        **extra,
    }


def test_the_signature_is_githubs_own_test_vector() -> None:
    """Secret and body of GitHub's documentation give the hash printed there."""
    expected = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert signature("It's a Secret to Everybody", b"Hello, World!") == f"sha256={expected}"


async def test_a_signed_label_is_accepted_once_however_often_it_comes(client: httpx.AsyncClient, front: OneAttempt) -> None:
    """202 with `accepted`, then `duplicate`; the row holds the raw bytes."""
    body = json.dumps(LABELLED).encode()
    sent = headers(body)
    answers = [await client.post("/webhook", content=body, headers=sent) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202] * 3
    assert [answer.json()["status"] for answer in answers] == ["accepted", "duplicate", "duplicate"]
    (delivery,) = front.deliveries.values()
    assert (delivery.event, delivery.body) == ("issues", body)


@pytest.mark.parametrize("given", ["", "sha256=" + "0" * 64, "sha1=abc", "sha256=\u00e9"])
async def test_a_missing_or_wrong_signature_is_401(client: httpx.AsyncClient, front: OneAttempt, given: str) -> None:
    """Nothing unsigned is looked at, and odd bytes in the header are no crash."""
    body = json.dumps(LABELLED).encode()
    named = headers(body, **{"X-Hub-Signature-256": given})
    sent = [(name.encode(), value.encode("latin-1")) for name, value in named.items()]
    answer = await client.post("/webhook", content=body, headers=sent)
    assert (answer.status_code, front.deliveries) == (401, {})


async def test_a_signature_covers_the_raw_bytes(client: httpx.AsyncClient) -> None:
    """The same JSON, written otherwise, is not what was signed."""
    body = json.dumps(LABELLED).encode()
    answer = await client.post("/webhook", content=json.dumps(LABELLED, indent=1).encode(), headers=headers(body))
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("star", {"action": "created"}),
        ("issues", {**LABELLED, "action": "pinned"}),
        ("issues", {**LABELLED, "action": "labeled", "label": None}),
        ("issues", {**LABELLED, "installation": None}),
        ("ping", {"zen": "Design for failure."}),
    ],
)
async def test_what_means_nothing_to_us_is_answered_and_leaves_no_row(
    client: httpx.AsyncClient, front: OneAttempt, kind: str, payload: dict[str, Any]
) -> None:
    """Unknown events and actions are 2xx, for GitHub adds new ones without notice."""
    body = json.dumps(payload).encode()
    answer = await client.post("/webhook", content=body, headers=headers(body, kind))
    assert (answer.status_code, answer.json(), front.deliveries) == (202, {"status": "ignored"}, {})


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"X-GitHub-Delivery": "not-a-uuid"}, 400),
        ({"X-GitHub-Event": ""}, 400),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
    ],
)
async def test_headers_that_github_would_not_send_are_refused_by_name(
    client: httpx.AsyncClient, changed: dict[str, str], status: int
) -> None:
    """The answer says which header is wrong."""
    body = json.dumps(LABELLED).encode()
    answer = await client.post("/webhook", content=body, headers=headers(body, **changed))
    assert answer.status_code == status
    assert answer.json()["error"]


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff\xfe{\x00}\x00", b"[" * 100_000])
async def test_a_signed_body_that_is_no_json_object_is_400(client: httpx.AsyncClient, body: bytes) -> None:
    """It is refused at the door and never becomes a row that poisons the queue."""
    assert (await client.post("/webhook", content=body, headers=headers(body))).status_code == 400


async def test_an_oversized_body_is_413_announced_or_not(client: httpx.AsyncClient, front: OneAttempt) -> None:
    """What is announced as far too large is refused unread; a stream is counted, and its sender still gets the answer."""

    async def stream() -> AsyncIterator[bytes]:
        for _ in range(26):
            yield b"x" * 1024 * 1024

    reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
    writer.write(b"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 99000000\r\n\r\n")
    announced = await reader.readline()
    writer.close()
    streamed = await client.post("/webhook", content=stream(), headers=headers(b""))
    assert b" 413 " in announced
    assert (streamed.status_code, front.deliveries) == (413, {})


async def test_a_busy_database_asks_for_another_delivery(client: httpx.AsyncClient) -> None:
    """503, which GitHub records as failed, so that the delivery can be sent again."""
    payload = {**LABELLED, "ref": "refs/heads/main", "after": "a" * 40}
    body = json.dumps(payload).encode()
    answer = await client.post("/webhook", content=body, headers=headers(body, "push"))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")


async def test_an_uninstalled_app_loses_every_repository_by_its_own_row(client: httpx.AsyncClient, front: OneAttempt) -> None:
    """`installation.deleted` names several repositories: a row for each, and again no second one."""
    repositories = [{"id": 1, "full_name": "o/a", "private": True}, {"id": 2, "full_name": "o/b", "private": False}]
    body = json.dumps({"action": "deleted", "installation": {"id": 5}, "repositories": repositories}).encode()
    sent = headers(body, "installation")
    statuses = [(await client.post("/webhook", content=body, headers=sent)).json()["status"] for _ in range(2)]
    assert statuses == ["accepted", "duplicate"]
    assert [json.loads(delivery.body)["repository"]["id"] for delivery in front.deliveries.values()] == [1, 2]

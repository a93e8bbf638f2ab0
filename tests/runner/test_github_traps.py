"""PyGithub's traps as the runner meets them: what it sends, what it waits for, what it never does by itself."""

import asyncio
import time
from typing import Any

from runner.github import Publisher
from runner.tokens import revoke
from shared.github import API_VERSION
from shared.models import AttemptReport, Verdict, VerdictName
from tests.runner.briefs import REPOSITORY, brief
from tests.support.scripted_server import Answer, Script
from tests.support.serving import serving

LOOK, CREATE = "POST /graphql", "POST /repos/acme/words/pulls"
REPORT = AttemptReport(
    verdict=Verdict(name=VerdictName.SUCCEEDED, reason="the tests pass"),
    pull_request_title="Mend it",
    pull_request_body="Closes #5",
)
NONE: dict[str, Any] = {"data": {"repository": {"nameWithOwner": REPOSITORY.full_name, "pullRequests": {"nodes": []}}}}
MADE = {"number": 7, "body": "Closes #5", "head": {"sha": "a" * 40}}
BACK = {
    "data": {
        "repository": {
            "nameWithOwner": REPOSITORY.full_name,
            "pullRequest": {
                "id": "PR_1",
                "number": 7,
                "state": "OPEN",
                "isDraft": False,
                "isCrossRepository": False,
                "headRefName": "shoal/5-x",
                "headRefOid": "a" * 40,
                "body": "Closes #5",
                "author": {"__typename": "Bot", "login": "shoal"},
            },
        }
    }
}


async def opened(script: Script) -> int:
    """The number of the pull request that a publisher opens on such a server."""
    async with serving(script) as url:
        told = brief("Mend it", "Please.").model_copy(update={"repository": REPOSITORY.model_copy(update={"api_url": url})})
        publisher = Publisher(told, "one-token")
        try:
            return await asyncio.to_thread(publisher.open, "a" * 40, REPORT)
        finally:
            publisher.close()


async def test_every_request_names_its_version_and_its_program() -> None:
    """Without a version GitHub chooses; giving a token back says them too, by another client."""
    script = Script({LOOK: [Answer(200, NONE), Answer(200, BACK)], CREATE: [Answer(201, MADE)]})
    assert await opened(script) == 7
    back = Script({"DELETE /installation/token": [Answer(204)]})
    async with serving(back) as url:
        assert await asyncio.to_thread(revoke, url, "one-token")
    sent = [*script.headers, *back.headers]
    assert len(sent) == 4
    assert {one["x-github-api-version"] for one in sent} == {API_VERSION}
    assert {one["user-agent"] for one in sent} == {"shoal-runner"}
    assert {one["authorization"] for one in sent} == {"token one-token"}


async def test_a_budget_that_is_used_up_is_waited_for_until_it_ends() -> None:
    """By REST and inside GraphQL's 200: there is one more request when GitHub said so, and none before."""
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(time.time()) + 2)}
    inside = {"errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]}
    refused = Answer(403, {"message": "API rate limit exceeded for installation ID 1."}, headers)
    script = Script(
        {
            LOOK: [Answer(200, inside, headers), Answer(200, NONE), Answer(200, NONE), Answer(200, BACK)],
            CREATE: [refused, Answer(201, MADE)],
        }
    )
    assert await opened(script) == 7
    assert script.asked == [LOOK, LOOK, CREATE, LOOK, CREATE, LOOK]


async def test_a_write_that_got_no_good_answer_is_looked_for_before_it_is_sent_again() -> None:
    """PyGithub's own retries would post it twice."""
    ours = BACK["data"]["repository"]
    found = {"data": {"repository": {"nameWithOwner": ours["nameWithOwner"], "pullRequests": {"nodes": [ours["pullRequest"]]}}}}
    script = Script(
        {LOOK: [Answer(200, NONE), Answer(200, found), Answer(200, BACK)], CREATE: [Answer(502, {"message": "Server Error"})]}
    )
    assert await opened(script) == 7
    assert script.asked == [LOOK, CREATE, LOOK, LOOK]

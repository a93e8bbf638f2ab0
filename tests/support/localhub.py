"""The embedded GitHub as tests hold it: its process, the control door, and people who use its API."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import httpx
import jwt

from tests.support.contract import problems_of_file

Json = dict[str, Any]

ALL_PERMISSIONS = {
    "checks": "write",
    "contents": "write",
    "issues": "write",
    "pull_requests": "write",
    "metadata": "read",
    "actions": "write",
    "administration": "read",
    "organization_self_hosted_runners": "read",
    "statuses": "read",
}
ALL_EVENTS = (
    "issues",
    "issue_comment",
    "pull_request",
    "push",
    "check_run",
    "check_suite",
    "status",
    "issue_dependencies",
    "sub_issues",
    "workflow_job",
    "workflow_run",
    "repository",
)


class Failed(Exception):
    """The server refused or broke; the message is its own."""


@dataclass(frozen=True)
class Person:
    """Somebody with a personal token; `api` speaks GitHub's REST API as them."""

    login: str
    token: str
    api: httpx.Client

    def open_issue(self, repository: str, title: str, body: str = "", labels: Sequence[str] = ()) -> Json:
        return self.ask("POST", f"/repos/{repository}/issues", {"title": title, "body": body, "labels": list(labels)})

    def label(self, repository: str, number: int, *names: str) -> None:
        self.ask("POST", f"/repos/{repository}/issues/{number}/labels", {"labels": list(names)})

    def unlabel(self, repository: str, number: int, name: str) -> None:
        self.ask("DELETE", f"/repos/{repository}/issues/{number}/labels/{name}")

    def edit_issue(self, repository: str, number: int, **change: Any) -> Json:
        return self.ask("PATCH", f"/repos/{repository}/issues/{number}", change)

    def comment(self, repository: str, number: int, body: str) -> Json:
        return self.ask("POST", f"/repos/{repository}/issues/{number}/comments", {"body": body})

    def block(self, repository: str, number: int, blocker_id: int) -> None:
        """Issue `number` is blocked by the issue with this database id."""
        self.ask("POST", f"/repos/{repository}/issues/{number}/dependencies/blocked_by", {"issue_id": blocker_id})

    def open_pull(self, repository: str, head: str, base: str = "main", title: str = "A change", body: str = "") -> Json:
        return self.ask("POST", f"/repos/{repository}/pulls", {"title": title, "body": body, "head": head, "base": base})

    def merge(self, repository: str, number: int, method: str = "merge") -> Json:
        return self.ask("PUT", f"/repos/{repository}/pulls/{number}/merge", {"merge_method": method})

    def get(self, path: str, **query: str | int) -> Any:
        """Any GET below the API's root, for example `/repos/o/r/pulls`."""
        return _told(self.api.get(path, params=query))

    def ask(self, method: str, path: str, body: Json | None = None) -> Json:
        told: Json = _told(self.api.request(method, path, json=body))
        return told


@dataclass(frozen=True)
class App:
    """A registered App with its private key."""

    id: int
    client_id: str
    slug: str
    private_key_pem: str
    bot_id: int
    bot_login: str


@dataclass
class Hub:
    """A running localhub; paths of the door are below `/_localhub`."""

    url: str
    folder: Path
    process: "subprocess.Popen[bytes]"
    door: httpx.Client
    clients: list[httpx.Client] = field(default_factory=list)

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/v3"

    def repository(self, full_name: str, folder: Path, default_branch: str = "main", *, private: bool = False) -> Json:
        """A repository whose first commit holds the files of `folder`: id, full_name, clone_url, sha."""
        owner, name = full_name.split("/")
        wanted = {"owner": owner, "name": name, "folder": str(folder), "default_branch": default_branch, "private": private}
        made: Json = self.ask("POST", "/repositories", wanted)
        return made

    def person(self, login: str, roles: Mapping[str, str] | None = None) -> Person:
        """A person with a personal token and these roles by repository."""
        made = self.ask("POST", "/people", {"login": login, "roles": dict(roles or {})})
        return Person(made["login"], made["token"], self.client(f"token {made['token']}"))

    def set_role(self, repository: str, login: str, role: str) -> None:
        self.ask("PUT", f"/repositories/{repository}/people/{login}", {"role": role})

    def app(
        self,
        slug: str = "shoal-app",
        *,
        webhook_url: str = "",
        webhook_secret: str = "",
        permissions: Mapping[str, str] | None = None,
        events: Sequence[str] = ALL_EVENTS,
    ) -> App:
        """A registered App; its key pair is made here."""
        wanted = {
            "slug": slug,
            "webhook_url": webhook_url,
            "webhook_secret": webhook_secret,
            "permissions": dict(ALL_PERMISSIONS if permissions is None else permissions),
            "events": list(events),
        }
        return App(**self.ask("POST", "/apps", wanted))

    def change_app(self, slug: str, **change: Any) -> None:
        """`webhook_url`, `webhook_secret`, `events`."""
        self.ask("PATCH", f"/apps/{slug}", change)

    def install(self, app: App, *repositories: str, permissions: Mapping[str, str] | None = None) -> int:
        """The installation's id."""
        wanted = {"repositories": repositories, "permissions": None if permissions is None else dict(permissions)}
        return int(self.ask("POST", f"/apps/{app.slug}/installations", wanted)["id"])

    def app_token(self, app: App, installation_id: int, **narrowing: Any) -> str:
        """A fresh installation token, narrowed by `permissions`, `repositories` or `repository_ids`."""
        answer = self.client(f"Bearer {app_jwt(app)}").post(f"/app/installations/{installation_id}/access_tokens", json=narrowing)
        return str(_told(answer)["token"])

    def commit(
        self, repository: str, branch: str, files: Mapping[str, str | None], *, login: str, message: str = "Change", start: str = ""
    ) -> str:
        """A person's commit on a branch (made from `start`, default: the default branch); its SHA."""
        wanted = {"branch": branch, "files": dict(files), "login": login, "message": message, "start": start}
        return str(self.ask("POST", f"/repositories/{repository}/commits", wanted)["sha"])

    def runner(
        self, repository: str, name: str, *labels: str, environment: Mapping[str, str], online: bool = True, outdated: bool = False
    ) -> None:
        """Declares a self-hosted runner, or what changed of it; `environment` is what its `.env` file holds."""
        wanted = {"labels": ["self-hosted", *labels], "online": online, "outdated": outdated, "environment": dict(environment)}
        self.ask("PUT", f"/repositories/{repository}/runners/{name}", wanted)

    def shared_runner(
        self, owner: str, name: str, *labels: str, environment: Mapping[str, str], group: str = "", online: bool = True
    ) -> None:
        """The same of an organisation."""
        wanted = {"labels": ["self-hosted", *labels], "online": online, "environment": dict(environment), "group": group}
        self.ask("PUT", f"/organizations/{owner}/runners/{name}", wanted)

    def runner_group(self, owner: str, group: str, *repositories: str, inherited: bool = False) -> None:
        """Whom the group's runners serve: these repositories of the organisation; an enterprise's group serves all."""
        wanted = {"repositories": None if inherited else repositories, "inherited": inherited}
        self.ask("PUT", f"/organizations/{owner}/runner-groups/{group}", wanted)

    def pull_runner(self, repository: str, name: str) -> None:
        """As if somebody pulled its plug."""
        self.ask("DELETE", f"/repositories/{repository}/runners/{name}")

    def fault(self, path_regex: str, status: int = 0, *, method: str = "*", **more: Any) -> None:
        """Trouble for the next matching request; `times`, `after_effect`, `headers`, `message`, `latency_seconds`."""
        self.ask("POST", "/faults", {"path_regex": path_regex, "status": status, "method": method, **more})

    def clear_faults(self) -> list[Json]:
        """Takes away the faults that have not struck yet and returns them."""
        left: list[Json] = self.ask("DELETE", "/faults")["faults"]
        return left

    def webhooks(self, mode: Literal["in_order", "hold", "drop"] = "in_order", copies: int = 1) -> None:
        """What happens to webhooks from now on."""
        self.ask("PUT", "/webhooks", {"mode": mode, "copies": copies})

    def deliveries(self, event: str | None = None, action: str | None = None) -> list[Json]:
        """Webhooks so far: id, guid, event, action, payload, status, status_code, attempts."""
        found: list[Json] = self.ask("GET", "/deliveries")["deliveries"]
        return [row for row in found if event in {None, row["event"]} and action in {None, row["action"]}]

    def release(self, *delivery_ids: int) -> None:
        """Sends these, in this order; one named twice is sent twice."""
        self.ask("POST", "/deliveries/release", {"ids": delivery_ids})

    def press(self, check_run_id: int, login: str, identifier: str = "") -> None:
        """A person presses Re-run, or the button of that identifier."""
        self.ask("POST", f"/check-runs/{check_run_id}/press", {"login": login, "identifier": identifier})

    def suspend(self, installation_id: int, *, is_suspended: bool = True) -> None:
        """By the account's owner."""
        self.ask("PUT", f"/installations/{installation_id}/suspended", {"is_suspended": is_suspended})

    def choose_repositories(self, installation_id: int, *repositories: str) -> None:
        """By the account's owner: the App is on these from now on."""
        self.ask("PUT", f"/installations/{installation_id}/repositories", {"repositories": repositories})

    def uninstall(self, installation_id: int) -> None:
        """By the account's owner."""
        self.ask("DELETE", f"/installations/{installation_id}")

    def change_repository(self, full_name: str, **change: Any) -> None:
        """By an admin: `archived`, `private`, `name`; its Apps are told."""
        self.ask("PUT", f"/repositories/{full_name}/settings", change)

    def guard(self, repository: str, *types: str) -> None:
        """Rules for the default branch, for example `pull_request`; none takes them away."""
        self.ask("PUT", f"/repositories/{repository}/rules", {"types": types})

    def set_workflow(self, repository: str, file: str, *, is_active: bool) -> None:
        """Enables or disables a workflow, as on its page."""
        self.ask("PUT", f"/repositories/{repository}/workflows/{file}", {"is_active": is_active})

    def set_actions(self, *, run_details: Literal["told", "refused", "ignored"]) -> None:
        """What the server makes of `return_run_details`, which an older one does not know."""
        self.ask("PUT", "/actions", {"run_details": run_details})

    def set_clock(self, offset_seconds: float) -> None:
        self.ask("PUT", "/clock", {"offset_seconds": offset_seconds})

    def set_rate_limit(self, limit: int) -> None:
        self.ask("PUT", "/rate_limit", {"limit": limit})

    def set_graphql(self, *, points: int = 5000, without: Sequence[str] = ()) -> None:
        """The hour's points, and the fields (`Type.field`) that an older server does not have."""
        self.ask("PUT", "/graphql", {"points": points, "without": list(without)})

    def weather(self, share: float, seed: int, *ways: str) -> None:
        """From now on that share of the requests of all programs but tests fails, in these ways or in every one that there is."""
        self.ask("PUT", "/weather", {"share": share, "seed": seed, **({"ways": ways} if ways else {})})

    def struck(self) -> dict[str, int]:
        """How often each way of failing was drawn."""
        found: dict[str, int] = self.ask("GET", "/weather")["struck"]
        return found

    def requests(self, method: str | None = None, path_part: str = "") -> list[Json]:
        """Requests so far: method, path, status, actor."""
        found: list[Json] = self.ask("GET", "/requests")["requests"]
        return [row for row in found if method in {None, row["method"]} and path_part in row["path"]]

    def client(self, authorization: str) -> httpx.Client:
        """An API client with that Authorization header; closed with the hub."""
        headers = {"Authorization": authorization, "X-GitHub-Api-Version": "2022-11-28"}
        made = _http(self.api_url, headers)
        self.clients.append(made)
        return made

    def ask(self, method: str, path: str, body: Json | None = None) -> Any:
        """One request at the control door."""
        return _told(self.door.request(method, path, json=body))

    def wait_for(self, found: Callable[[], Any], seconds: float = 120) -> Any:
        """The first true answer of `found`; for what happens by itself, such as webhooks. The longer, the less often it asks."""
        start = time.monotonic()
        while not (answer := found()):
            waited = time.monotonic() - start
            if waited > seconds:
                raise TimeoutError(f"nothing came within {seconds} s")
            time.sleep(min(0.5, 0.02 + waited / 50))
        return answer


def app_jwt(app: App, now: float | None = None) -> str:
    """A JSON web token by which an App proves itself for nine minutes."""
    issued = int(time.time() if now is None else now) - 60
    return jwt.encode({"iat": issued, "exp": issued + 600, "iss": app.client_id}, app.private_key_pem, algorithm="RS256")


@contextmanager
def running_localhub(folder: Path) -> Iterator[Hub]:
    """A localhub with its state in `folder`; it ends with the block, or with this process.

    At the end every API exchange is held against GitHub's own description; a difference fails the test.
    """
    with _process(folder) as hub:
        yield hub
    check_exchanges(hub)


@contextmanager
def emptied(running: Hub) -> Iterator[Hub]:
    """The same process with everything forgotten; its exchanges are checked at the end of the block."""
    hub = Hub(running.url, running.folder, running.process, running.door)
    hub.ask("POST", "/reset")
    try:
        yield hub
    finally:
        for client in hub.clients:
            client.close()
    check_exchanges(hub)


def _recording(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}-exchanges.jsonl")


def check_exchanges(hub: Hub) -> None:
    """Holds what was said so far against GitHub's description, and begins the recording anew."""
    recording = _recording(hub.folder)
    found = problems_of_file(recording)
    recording.unlink(missing_ok=True)
    assert not found, "not what GitHub's description says:\n" + "\n".join(found[:20])


@contextmanager
def _process(folder: Path) -> Iterator[Hub]:
    argv = [
        sys.executable,
        "-I",
        "-m",
        "app.localhub",
        "--dir",
        str(folder),
        "--record",
        str(_recording(folder)),
        "--until-stdin-closes",
    ]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise Failed("localhub did not start; its reason is on standard error")
        url = json.loads(line)["url"]
        hub = Hub(url, folder, process, _http(f"{url}/_localhub", {}))
        try:
            yield hub
        finally:
            for client in (hub.door, *hub.clients):
                client.close()
            process.terminate()


def _http(base_url: str, headers: Mapping[str, str]) -> httpx.Client:
    # Plain HTTP on loopback: reading the machine's certificates would cost more than the test.
    return httpx.Client(base_url=base_url, headers=headers, timeout=30, trust_env=False, verify=False)


def _told(answer: httpx.Response) -> Any:
    if answer.is_error:
        raise Failed(f"{answer.request.method} {answer.request.url} -> {answer.status_code}: {answer.text[:500]}")
    return answer.json() if answer.content else None

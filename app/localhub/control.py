"""The control door: what tests and the demo do behind GitHub's back; everything GitHub has an API for goes through that."""

from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.localhub import api_checks, apps, auth, bare, pull_requests, render, render_git
from app.localhub.control_forms import (
    AppChange,
    Chosen,
    Clock,
    Graphql,
    NewApp,
    NewCommit,
    NewInstallation,
    NewPerson,
    NewRepository,
    Press,
    RateLimit,
    Release,
    RoleName,
    Rules,
    Suspension,
)
from app.localhub.errors import Refused, not_found
from app.localhub.faults import Fault
from app.localhub.hub import By, Hub
from app.localhub.records import App, Installation, Repository, Role
from app.localhub.storm import Weather
from app.localhub.webhooks import Mode

Json = dict[str, Any]


def create_repository(hub: Hub, path: Json, wanted: NewRepository) -> Json:
    owner = apps.account(hub, wanted.owner, "Organization")
    if hub.state.repositories.find(lambda row: row.full_name.lower() == f"{wanted.owner}/{wanted.name}".lower()):
        raise Refused(422, "name already exists on this account")
    now = hub.state.stamp()
    row = Repository(
        id=hub.state.next_id(),
        owner_id=owner.id,
        owner=owner.login,
        created_at=now,
        pushed_at=now,
        **wanted.model_dump(include={"name", "default_branch", "private", "description"}),
    )
    git_dir = hub.state.git_dir(row)
    bare.create(git_dir, row.default_branch)
    bare.commit_folder(git_dir, row.default_branch, wanted.folder, wanted.message, render_git.author_of(owner))
    row.refs = bare.refs(git_dir)
    hub.state.repositories.save(row)
    return {
        "id": row.id,
        "full_name": row.full_name,
        "clone_url": f"{hub.state.url}/{row.full_name}.git",
        "sha": next(iter(row.refs.values())),
    }


def create_person(hub: Hub, path: Json, wanted: NewPerson) -> Json:
    account = apps.account(hub, wanted.login, "User")
    account.name, account.email = wanted.name, wanted.email
    hub.state.accounts.save(account)
    for full_name, role in wanted.roles.items():
        _set_role(hub, hub.state.repository(*full_name.split("/", 1)), account.login, role)
    secret, _ = auth.mint(hub.state, account_id=account.id)
    return {"id": account.id, "login": account.login, "token": secret}


def create_app(hub: Hub, path: Json, wanted: NewApp) -> Json:
    private_key, public_key = ("", wanted.public_key_pem) if wanted.public_key_pem else apps.key_pair()
    fields = {**wanted.model_dump(exclude={"slug"}), "name": wanted.name or wanted.slug, "public_key_pem": public_key}
    row = apps.register(hub, wanted.slug, apps.account(hub, "app-owner", "User"), **fields)
    bot = hub.state.accounts[row.bot_id]
    told = {"id": row.id, "client_id": row.client_id, "slug": row.slug, "bot_id": bot.id, "bot_login": bot.login}
    return {**told, **({"private_key_pem": private_key} if private_key else {})}


def change_app(hub: Hub, path: Json, wanted: AppChange) -> Json:
    row = _app(hub, path["slug"])
    for name, value in wanted.model_dump(exclude_none=True).items():
        setattr(row, name, value)
    hub.state.apps.save(row)
    return {"id": row.id}


def install(hub: Hub, path: Json, wanted: NewInstallation) -> Json:
    repositories = [hub.state.repository(*full_name.split("/", 1)) for full_name in wanted.repositories]
    return {"id": apps.install(hub, _app(hub, path["slug"]), repositories, wanted.permissions).id}


def installations(hub: Hub, path: Json, wanted: None) -> Json:
    return {"ids": [row.id for row in hub.state.installations]}


def suspend(hub: Hub, path: Json, wanted: Suspension) -> Json:
    """By the account's owner: the App can do nothing there until it is taken back."""
    row = _installation(hub, path)
    row.suspended_at = hub.state.stamp() if wanted.is_suspended else None
    hub.state.installations.save(row)
    hub.webhooks.tell_app(row, "installation", "suspend" if wanted.is_suspended else "unsuspend", _all_of(hub, row))
    return {"id": row.id}


def choose_repositories(hub: Hub, path: Json, wanted: Chosen) -> Json:
    """By the account's owner: from now on the App is on these and no others."""
    row = _installation(hub, path)
    before, now = row.repository_ids, [hub.state.repository(*full_name.split("/", 1)).id for full_name in wanted.repositories]
    added, removed = ([hub.state.repositories[one] for one in a if one not in b] for a, b in ((now, before), (before, now)))
    row.repository_ids = now
    hub.state.installations.save(row)
    for action, concerned in (("added", added), ("removed", removed)):
        lists: Json = {"repositories_added": [], "repositories_removed": [], "repository_selection": "selected", "requester": None}
        lists[f"repositories_{action}"] = [render.repository_of_installation(one) for one in concerned]
        if concerned:
            hub.webhooks.tell_app(row, "installation_repositories", action, lists)
    return {"id": row.id}


def uninstall(hub: Hub, path: Json, wanted: None) -> Json:
    """By the account's owner; its tokens are dead with it."""
    row = _installation(hub, path)
    hub.webhooks.tell_app(row, "installation", "deleted", _all_of(hub, row))
    hub.state.installations.remove(row.id)
    return {"id": row.id}


def _all_of(hub: Hub, row: Installation) -> Json:
    return {"repositories": [render.repository_of_installation(hub.state.repositories[one]) for one in row.repository_ids]}


def _installation(hub: Hub, path: Json) -> Installation:
    row = hub.state.installations.get(int(path["installation_id"]))
    if row is None:
        raise not_found()
    return row


def set_rules(hub: Hub, path: Json, wanted: Rules) -> Json:
    where = hub.state.repository(path["owner"], path["name"])
    where.rules = wanted.types
    return {"id": hub.state.repositories.save(where).id}


def set_role(hub: Hub, path: Json, wanted: RoleName) -> Json:
    where = hub.state.repository(path["owner"], path["name"])
    _set_role(hub, where, hub.state.account(path["login"]).login, wanted.role)
    return {"role": wanted.role}


def commit(hub: Hub, path: Json, wanted: NewCommit) -> Json:
    """A push by a person without the clone; everything follows as from a push."""
    where, account = hub.state.repository(path["owner"], path["name"]), hub.state.account(wanted.login)
    git_dir = hub.state.git_dir(where)
    parent = bare.resolve(git_dir, wanted.branch) or bare.resolve(git_dir, wanted.start or where.default_branch)
    if parent is None:
        raise not_found()
    sha = bare.commit_files(git_dir, wanted.branch, parent, wanted.files, wanted.message, render_git.author_of(account))
    pull_requests.follow_refs(hub, where, By(account.id))
    return {"sha": sha}


def press(hub: Hub, path: Json, wanted: Press) -> Json:
    """Re-run without an identifier, else the button of that identifier."""
    row = hub.state.check_runs.get(int(path["check_run_id"]))
    if row is None:
        raise not_found()
    sender = hub.state.account(wanted.login).id
    if not wanted.identifier:
        api_checks.tell(hub, row, "rerequested", sender)
    elif any(button["identifier"] == wanted.identifier for button in row.actions):
        api_checks.tell(hub, row, "requested_action", sender, requested_action={"identifier": wanted.identifier})
    else:
        raise Refused(422, f"check run {row.id} has no button {wanted.identifier!r}")
    return {}


def set_mode(hub: Hub, path: Json, wanted: Mode) -> Json:
    hub.webhooks.mode = wanted
    return {}


def deliveries(hub: Hub, path: Json, wanted: None) -> Json:
    return {"deliveries": [row.model_dump() for row in hub.state.deliveries]}


def release(hub: Hub, path: Json, wanted: Release) -> Json:
    hub.webhooks.release(wanted.ids)
    return {}


def add_fault(hub: Hub, path: Json, wanted: Fault) -> Json:
    hub.faults.pending.append(wanted)
    return {}


def clear_faults(hub: Hub, path: Json, wanted: None) -> Json:
    left = [fault.model_dump() for fault in hub.faults.pending]
    hub.faults.pending.clear()
    return {"faults": left}


def set_clock(hub: Hub, path: Json, wanted: Clock) -> Json:
    hub.state.clock_offset = wanted.offset_seconds
    return {"now": hub.state.stamp()}


def set_rate_limit(hub: Hub, path: Json, wanted: RateLimit) -> Json:
    hub.rate_limit = wanted.limit
    hub.used.clear()
    return {}


def set_graphql(hub: Hub, path: Json, wanted: Graphql) -> Json:
    hub.graphql_points, hub.graphql_without = wanted.points, set(wanted.without)
    hub.graphql_used.clear()
    return {}


def set_weather(hub: Hub, path: Json, wanted: Weather) -> Json:
    hub.storm.begin(wanted)
    return {}


def weather(hub: Hub, path: Json, wanted: None) -> Json:
    return {"struck": dict(hub.storm.struck)}


def reset(hub: Hub, path: Json, wanted: None) -> Json:
    hub.reset()
    return {}


def requests(hub: Hub, path: Json, wanted: None) -> Json:
    return {"requests": hub.requests}


def _app(hub: Hub, slug: str) -> App:
    found = hub.state.apps.find(lambda row: row.slug == slug)
    if found is None:
        raise not_found()
    return found


def _set_role(hub: Hub, where: Repository, login: str, role: Role) -> None:
    where.roles[login] = role
    hub.state.repositories.save(where)


_DOOR: tuple[tuple[str, str, Callable[..., Json], type[BaseModel] | None], ...] = (
    ("POST", "/repositories", create_repository, NewRepository),
    ("POST", "/repositories/{owner}/{name}/commits", commit, NewCommit),
    ("PUT", "/repositories/{owner}/{name}/people/{login}", set_role, RoleName),
    ("PUT", "/repositories/{owner}/{name}/rules", set_rules, Rules),
    ("POST", "/people", create_person, NewPerson),
    ("POST", "/apps", create_app, NewApp),
    ("PATCH", "/apps/{slug}", change_app, AppChange),
    ("POST", "/apps/{slug}/installations", install, NewInstallation),
    ("GET", "/installations", installations, None),
    ("PUT", "/installations/{installation_id}/suspended", suspend, Suspension),
    ("PUT", "/installations/{installation_id}/repositories", choose_repositories, Chosen),
    ("DELETE", "/installations/{installation_id}", uninstall, None),
    ("POST", "/check-runs/{check_run_id}/press", press, Press),
    ("PUT", "/webhooks", set_mode, Mode),
    ("GET", "/deliveries", deliveries, None),
    ("POST", "/deliveries/release", release, Release),
    ("POST", "/faults", add_fault, Fault),
    ("DELETE", "/faults", clear_faults, None),
    ("PUT", "/clock", set_clock, Clock),
    ("PUT", "/rate_limit", set_rate_limit, RateLimit),
    ("PUT", "/graphql", set_graphql, Graphql),
    ("PUT", "/weather", set_weather, Weather),
    ("GET", "/weather", weather, None),
    ("GET", "/requests", requests, None),
    ("POST", "/reset", reset, None),
)


def routes(hub: Hub) -> list[Route]:
    """The door's routes, below `/_localhub`."""
    return [door(hub, *row) for row in _DOOR]


def door(hub: Hub, method: str, path: str, do: Callable[..., Json], model: type[BaseModel] | None) -> Route:
    """One thing that can be done behind GitHub's back: `do(hub, path parameters, form)` under the lock."""
    return Route(f"/_localhub{path}", _endpoint(hub, do, model), methods=[method])


def _endpoint(hub: Hub, do: Callable[..., Json], model: type[BaseModel] | None) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        raw = await request.body()

        def work() -> Json:
            with hub.state.lock:
                try:
                    return do(hub, request.path_params, model.model_validate_json(raw or b"{}") if model else None)
                finally:
                    hub.state.commit()

        try:
            told = await run_in_threadpool(work)
        except Refused as refused:
            return JSONResponse({"message": str(refused)}, refused.status)
        except ValidationError as error:
            return JSONResponse({"message": str(error)}, 422)
        hub.wake()
        return JSONResponse(told)

    return answer

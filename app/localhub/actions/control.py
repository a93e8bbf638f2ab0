"""The control door of Actions: runners are declared and taken away, workflows disabled, keys changed, tokens forged."""

from typing import Any, Literal

from pydantic import BaseModel, Field
from starlette.routing import Route

from app.localhub.actions import runs
from app.localhub.actions.identity import Issuer
from app.localhub.control import Json, door
from app.localhub.errors import not_found
from app.localhub.hub import Hub
from app.localhub.records import Account, RunnerGroup, SelfHostedRunner, Workflow


class Machine(BaseModel):
    """A self-hosted runner, maybe of a version that gets no jobs; `environment` is what its `.env` file would hold."""

    labels: list[str] = ["self-hosted"]
    online: bool = True
    outdated: bool = False
    environment: dict[str, str] = Field(default_factory=dict)


class SharedMachine(Machine):
    """A runner of an organisation, in this group or in the default one."""

    group: str = ""


class Group(BaseModel):
    """Whom a group of runners serves: these repositories, by name, or all; an inherited one is the enterprise's."""

    repositories: list[str] | None = None
    inherited: bool = False


class Server(BaseModel):
    """What it makes of `return_run_details`: one of before 2026 refuses a field that it does not know, or passes over it."""

    run_details: Literal["told", "refused", "ignored"]


class WorkflowState(BaseModel):
    """Whether a workflow can be dispatched."""

    is_active: bool


class Forgery(BaseModel):
    """A token for a run, with claims of one's own."""

    run_id: int
    audience: str
    claims: dict[str, Any] = Field(default_factory=dict)


def routes(hub: Hub, issuer: Issuer) -> list[Route]:
    """The door's routes, below `/_localhub`."""

    def rotate(_hub: Hub, _path: Json, _wanted: None) -> Json:
        issuer.rotate()
        return {}

    def forge(_hub: Hub, _path: Json, wanted: Forgery) -> Json:
        row = hub.state.workflow_runs[wanted.run_id]
        return {"value": issuer.token(hub.state.repositories[row.repository_id], row, wanted.audience, **wanted.claims)}

    place = "/repositories/{owner}/{name}"
    return [
        door(hub, "PUT", f"{place}/runners/{{runner}}", declare, Machine),
        door(hub, "DELETE", f"{place}/runners/{{runner}}", take_away, None),
        door(hub, "PUT", "/organizations/{owner}/runners/{runner}", declare_shared, SharedMachine),
        door(hub, "PUT", "/organizations/{owner}/runner-groups/{group}", set_group, Group),
        door(hub, "PUT", f"{place}/workflows/{{file}}", set_workflow, WorkflowState),
        door(hub, "PUT", "/actions", set_server, Server),
        door(hub, "POST", "/issuer/rotate", rotate, None),
        door(hub, "POST", "/issuer/tokens", forge, Forgery),
    ]


def declare(hub: Hub, path: Json, wanted: Machine) -> Json:
    """A new runner, or what changed of a known one."""
    where, known = hub.state.repository(path["owner"], path["name"]), _runner(hub, path)
    if known is None:
        known = SelfHostedRunner(id=hub.state.next_id(), repository_id=where.id, name=path["runner"], labels=[])
    known.labels, known.online, known.environment = wanted.labels, wanted.online, wanted.environment
    known.outdated = wanted.outdated
    hub.state.runners.save(known)
    return {"id": known.id}


def declare_shared(hub: Hub, path: Json, wanted: SharedMachine) -> Json:
    """The same of an organisation's."""
    owner = hub.state.account(path["owner"])
    known = hub.state.runners.find(lambda row: row.owner_id == owner.id and row.name == path["runner"])
    if known is None:
        known = SelfHostedRunner(id=hub.state.next_id(), owner_id=owner.id, name=path["runner"], labels=[])
    group = _group(hub, owner, wanted.group)
    if wanted.group and group is None:
        raise not_found()
    known.group_id = group.id if group else 1
    known.labels, known.online, known.environment = wanted.labels, wanted.online, wanted.environment
    return {"id": hub.state.runners.save(known).id}


def set_group(hub: Hub, path: Json, wanted: Group) -> Json:
    """A new group of runners, or whom it serves from now on."""
    owner = hub.state.account(path["owner"])
    known = _group(hub, owner, path["group"]) or RunnerGroup(id=hub.state.next_id(), owner_id=owner.id, name=path["group"])
    served = None if wanted.repositories is None else [hub.state.repository(owner.login, name).id for name in wanted.repositories]
    known.repository_ids, known.inherited = served, wanted.inherited
    return {"id": hub.state.runner_groups.save(known).id}


def take_away(hub: Hub, path: Json, _wanted: None) -> Json:
    """As if its plug were pulled: its job dies, and GitHub hears nothing of that."""
    known = _runner(hub, path)
    if known is None:
        raise not_found()
    hub.state.runners.remove(known.id)
    return {}


def set_server(hub: Hub, path: Json, wanted: Server) -> Json:
    """From now on it is as old as this."""
    hub.run_details = wanted.run_details
    return {}


def set_workflow(hub: Hub, path: Json, wanted: WorkflowState) -> Json:
    for row in runs.workflows(hub, hub.state.repository(path["owner"], path["name"])):
        if row.path.endswith(f"/{path['file']}"):
            row.state = "active" if wanted.is_active else "disabled_manually"
            return {"id": _saved(hub, row)}
    raise not_found()


def _saved(hub: Hub, row: Workflow) -> int:
    return hub.state.workflows.save(row).id


def _group(hub: Hub, owner: Account, name: str) -> RunnerGroup | None:
    return hub.state.runner_groups.find(lambda row: row.owner_id == owner.id and row.name == name)


def _runner(hub: Hub, path: Json) -> SelfHostedRunner | None:
    where = hub.state.repository(path["owner"], path["name"])
    return hub.state.runners.find(lambda row: row.repository_id == where.id and row.name == path["runner"])

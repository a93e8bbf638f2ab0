"""An organisation's self-hosted runners: groups that say which repositories they serve, and the endpoints that list both."""

from app.localhub import permissions
from app.localhub.actions import show
from app.localhub.calls import Call, Reply
from app.localhub.errors import not_found
from app.localhub.hub import Hub
from app.localhub.records import Account, Repository, RunnerGroup, SelfHostedRunner

# Every organisation has it, for all of its repositories.
_DEFAULT = 1
_NEEDS = "organization_self_hosted_runners:read"


def serves(hub: Hub, runner: SelfHostedRunner, where: Repository) -> bool:
    """Whether jobs of the repository may run there."""
    if runner.repository_id is not None:
        return runner.repository_id == where.id
    group = _group(hub, where.owner_id, runner.group_id)
    return runner.owner_id == where.owner_id and _is_open(group, where)


def runners(call: Call) -> Reply:
    """The organisation's own, without what it inherits from its enterprise."""
    owner = _organisation(call)
    own = {group.id for group in _groups(call.hub, owner.id) if not group.inherited}
    found = call.state.runners.where(lambda row: row.owner_id == owner.id and row.group_id in own)
    return call.wrapped("runners", found, show.runner)


def groups(call: Call) -> Reply:
    """All, or those that a repository may use."""
    owner, found = _organisation(call), _groups(call.hub, _organisation(call).id)
    if name := call.query.get("visible_to_repository"):
        where = call.state.repository(owner.login, name)
        found = [group for group in found if _is_open(group, where)]
    return call.wrapped("runner_groups", found, lambda row: show.runner_group(call.state, owner, row))


def runners_of_group(call: Call) -> Reply:
    """Also of an inherited one."""
    owner, wanted = _organisation(call), call.number("runner_group_id")
    if _group(call.hub, owner.id, wanted).id != wanted:
        raise not_found()
    found = call.state.runners.where(lambda row: row.owner_id == owner.id and row.group_id == wanted)
    return call.wrapped("runners", found, show.runner)


def _organisation(call: Call) -> Account:
    owner = call.state.account(call.path["org"])
    if owner.type != "Organization":
        raise not_found()
    permissions.require_of_owner(call.actor, owner, _NEEDS)
    return owner


def _groups(hub: Hub, owner_id: int) -> list[RunnerGroup]:
    default = RunnerGroup(id=_DEFAULT, owner_id=owner_id, name="Default")
    return [default, *hub.state.runner_groups.where(lambda row: row.owner_id == owner_id)]


def _group(hub: Hub, owner_id: int, group_id: int) -> RunnerGroup:
    found = {group.id: group for group in _groups(hub, owner_id)}
    return found.get(group_id, found[_DEFAULT])


def _is_open(group: RunnerGroup, where: Repository) -> bool:
    return group.owner_id == where.owner_id and (group.repository_ids is None or where.id in group.repository_ids)

"""The control door of repositories' settings: archived, published, renamed by an admin, and what GitHub tells of that."""

from starlette.routing import Route

from app.localhub.control import Json, door
from app.localhub.control_forms import RepositoryChange
from app.localhub.errors import invalid
from app.localhub.hub import Hub
from app.localhub.records import Repository


def routes(hub: Hub) -> list[Route]:
    """The door's routes, below `/_localhub`."""
    return [door(hub, "PUT", "/repositories/{owner}/{name}/settings", change, RepositoryChange)]


def change(hub: Hub, path: Json, wanted: RepositoryChange) -> Json:
    """One event for each thing that is different then."""
    where = hub.state.repository(path["owner"], path["name"])
    if wanted.name is not None and wanted.name != where.name:
        _rename(hub, where, wanted.name)
    if wanted.private is not None and wanted.private != where.private:
        where.private = wanted.private
        _tell(hub, where, "privatized" if wanted.private else "publicized")
    if wanted.archived is not None and wanted.archived != where.archived:
        where.archived = wanted.archived
        _tell(hub, where, "archived" if wanted.archived else "unarchived")
    return {"id": where.id}


def _rename(hub: Hub, where: Repository, name: str) -> None:
    taken = f"{where.owner}/{name}".lower()
    if hub.state.repositories.find(lambda row: row.full_name.lower() == taken):
        raise invalid("Repository", "name", code="already_exists")
    old, folder = where.name, hub.state.git_dir(where)
    where.former = [*(one for one in where.former if one != taken), where.full_name.lower()]
    where.name = name
    folder.rename(hub.state.git_dir(where))
    _tell(hub, where, "renamed", {"changes": {"repository": {"name": {"from": old}}}})


def _tell(hub: Hub, where: Repository, action: str, more: Json | None = None) -> None:
    hub.state.repositories.save(where)
    hub.webhooks.emit(where, where.owner_id, "repository", action, more or {})

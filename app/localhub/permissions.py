"""May this actor do this: an installation by its token's permissions, a person by the role in the repository."""

from app.localhub.auth import Actor, AppItself, InstallationActor, Person
from app.localhub.errors import Refused, archived, not_for_integrations, not_found
from app.localhub.records import Account, Level, Repository, Role

_ROLES: tuple[Role, ...] = ("none", "read", "triage", "write", "maintain", "admin")
_LEVELS: tuple[Level, ...] = ("read", "write", "admin")


def role_of(account: Account, repository: Repository) -> Role:
    """A person's role; everybody may read what is public, an owner may do everything."""
    if account.id == repository.owner_id:
        return "admin"
    return repository.roles.get(account.login, "none" if repository.private else "read")


def has_role(account: Account, repository: Repository, least: Role) -> bool:
    return _ROLES.index(role_of(account, repository)) >= _ROLES.index(least)


def may(actor: Actor, repository: Repository, least: Role) -> bool:
    """Whether a person has that role; an installation's permission was asked for at the door, by the table of endpoints."""
    return not isinstance(actor, Person) or has_role(actor.account, repository, least)


def may_use_git(actor: Actor, repository: Repository, level: Level) -> bool:
    """Whether the actor may fetch ("read") or push ("write"); what is public may be fetched with any token."""
    if level == "read" and not repository.private and not isinstance(actor, AppItself):
        return True
    if level == "write" and repository.archived:
        return False
    if isinstance(actor, InstallationActor):
        return sees(actor, repository) and _granted(actor, f"contents:{level}")
    return isinstance(actor, Person) and has_role(actor.account, repository, level)


def sees(actor: Actor, repository: Repository) -> bool:
    """Whether the repository exists for this actor at all."""
    match actor:
        case Person():
            return has_role(actor.account, repository, "read")
        case InstallationActor():
            narrowed = actor.token.repository_ids
            return repository.id in actor.installation.repository_ids and (narrowed is None or repository.id in narrowed)
        case AppItself():
            return False


def require(actor: Actor, repository: Repository, needs: tuple[str, ...], least: Role) -> None:
    """Refuses as GitHub does: 404 for what the actor cannot see, 403 for what it may not do."""
    if isinstance(actor, AppItself):
        raise Refused(401, "Bad credentials")
    if not sees(actor, repository):
        raise not_found()
    if isinstance(actor, InstallationActor):
        if not any(_granted(actor, need) for need in needs):
            raise not_for_integrations()
    elif needs == ("checks:write",):
        raise Refused(403, "You must authenticate via a GitHub App.")
    elif not has_role(actor.account, repository, least):
        raise Refused(403, "Must have admin rights to Repository.")
    if repository.archived and any(need.endswith(":write") for need in needs):
        raise archived()


def require_of_owner(actor: Actor, owner: Account, need: str) -> None:
    """The same for what belongs to an organisation; nobody here is a person who owns one."""
    if not isinstance(actor, InstallationActor):
        raise Refused(403, "Must have admin rights to Organization.")
    if actor.installation.account_id != owner.id:
        raise not_found()
    if not _granted(actor, need):
        raise not_for_integrations()


def exceeds(wanted: dict[str, Level], granted: dict[str, Level]) -> bool:
    """Whether a token would get more than its installation has."""
    return any(name not in granted or _LEVELS.index(level) > _LEVELS.index(granted[name]) for name, level in wanted.items())


def _granted(actor: InstallationActor, need: str) -> bool:
    name, level = need.split(":")
    if name == "metadata":
        return True
    granted = actor.token.permissions.get(name)
    return granted is not None and _LEVELS.index(granted) >= _LEVELS.index("write" if level == "write" else "read")

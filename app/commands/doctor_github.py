"""The doctor's look at GitHub: the App, its webhook, its installations, and each repository."""

import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from functools import partial

import httpx

from app.backends.fleet import FIX, Fleet
from app.commands.finding import Finding, warn
from app.events import RepositoryRef
from app.facts import settings_file, workflow_file
from app.github import inspection
from app.github.client import GitHubApp
from app.github.inspection import Delivered, Hook
from app.github.manifest import webhook_url
from app.github.registration import EVENTS, ORGANISATION, PERMISSIONS
from app.github.repository import RepositoryClient
from app.github.transport import LOOPBACK
from app.limits import not_allowed
from app.oidc import Verifier
from app.settings import Settings
from shared.errors import TransientError, UserError
from shared.repository_settings import RepositorySettings

_LEVELS = ("", "read", "write", "admin")
# The App's proof of itself is dated a minute back; more than that and GitHub takes it for one from the future.
_CLOCK_SECONDS = 45
_MOST_REPOSITORIES = 20
_ANSWERED = {
    0: "open the way to it: firewall, proxy, certificate, or the app does not run",
    401: "the secret on the App's settings page is not SHOAL_WEBHOOK_SECRET: set both to the same",
    404: "that address is not this app's: it ends in /webhook",
    405: "that address is not this app's: it ends in /webhook",
}


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """As far as the credentials lead."""
    clock = _clock(inspection.clock_ahead(settings.github_api_url))
    if clock is not None:
        yield clock
    try:
        async with GitHubApp(settings, clock=lambda: datetime.now(UTC)) as github:
            yield Finding("github", True, f"{settings.github_api_url} knows this App as {github.login}")
            for found in _asked(github):
                yield found
            async for found in _webhook(settings, github):
                yield found
            async for found in _installations(github):
                yield found
            if settings.backend == "actions":
                yield await _issuer(settings)
            async for found in _repositories(settings, github):
                yield found
    except (UserError, TransientError) as error:
        what, _, fix = str(error).partition(": check ")
        if clock is not None and not clock.ok:
            fix = "this machine's clock first"
        yield Finding("github", False, what, f"check {fix or 'SHOAL_GITHUB_API_URL and the network'}")


def _clock(ahead: float | None) -> Finding | None:
    if ahead is None:
        return None
    said = f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} GitHub's"
    if abs(ahead) > _CLOCK_SECONDS:
        return Finding("clock", False, said, "set this machine's clock, by NTP: GitHub refuses credentials with a wrong time")
    return Finding("clock", True, said)


async def _issuer(settings: Settings) -> Finding:
    """Without its keys no job can say who it is."""
    try:
        keys = await Verifier(settings.oidc_issuer, settings.runner_url).count_keys()
    except (UserError, TransientError) as error:
        return Finding("job identity", False, str(error), "open the way to it, or correct SHOAL_OIDC_ISSUER")
    fix = "" if keys else "correct SHOAL_OIDC_ISSUER"
    return Finding("job identity", keys > 0, f"{settings.oidc_issuer} has {keys} {'key' if keys == 1 else 'keys'}", fix)


def _asked(github: GitHubApp) -> Iterator[Finding]:
    missing = [f"`{event}`" for event in EVENTS if event not in github.identity.events]
    if missing:
        yield Finding("events", False, f"the App does not receive {', '.join(missing)}", "tick them on its settings page")
    yield _permissions("the App", github.identity.permissions)


def _permissions(who: str, granted: dict[str, str]) -> Finding:
    """`read` is not enough where `write` is needed; the organisation's is missed only where its runners are, see there."""
    needed = {name: level for name, level in PERMISSIONS.items() if name != ORGANISATION}
    short = [f"`{n}: {level}`" for n, level in needed.items() if _LEVELS.index(granted.get(n, "")) < _LEVELS.index(level)]
    fix = "grant it on the App's settings page, then have each owner accept the change" if short else ""
    return Finding("permissions", not short, f"{who} lacks {', '.join(short)}" if short else f"{who} has all it needs", fix)


async def _webhook(settings: Settings, github: GitHubApp) -> AsyncIterator[Finding]:
    hook = await inspection.hook(github)
    problem = _hook_problem(hook, settings)
    yield problem or Finding("webhook", True, f"goes to {hook.url}")
    if problem is None:
        yield _deliveries(await inspection.latest_deliveries(github))


def _hook_problem(hook: Hook, settings: Settings) -> Finding | None:
    wanted = webhook_url(settings.public_url)
    if not hook.url:
        return Finding("webhook", False, "the App sends none", f"activate it on the App's settings page, with the URL {wanted}")
    if hook.url != wanted:
        fix = f"set it to {wanted} on the App's settings page, or correct SHOAL_PUBLIC_URL"
        return Finding("webhook", False, f"goes to {hook.url}, this app is at {settings.public_url}", fix)
    if httpx.URL(hook.url).host in LOOPBACK and httpx.URL(settings.github_url).host not in LOOPBACK:
        fix = "set SHOAL_PUBLIC_URL to the address that this app has on the internet, and the webhook to it"
        return Finding("webhook", False, f"GitHub cannot reach {hook.url}", fix)
    if not hook.has_secret:
        fix = "set the secret on the App's settings page to SHOAL_WEBHOOK_SECRET"
        return Finding("webhook", False, "is not signed, so this app refuses it", fix)
    if not hook.is_json:
        return Finding("webhook", False, "has another content type", "set it to application/json on the App's settings page")
    if not hook.checks_certificate:
        return warn("webhook", "is sent without looking at the certificate", "enable SSL verification on the App's settings page")
    return None


def _deliveries(latest: tuple[Delivered, ...]) -> Finding:
    if not latest:
        return Finding("deliveries", True, "none yet")
    failed = [one for one in latest if not one.ok]
    said = f"{len(failed)} of the latest {len(latest)} failed"
    if latest[0].ok:
        return Finding("deliveries", True, said)
    code = latest[0].status_code
    return Finding(
        "deliveries", False, f"{said}, the newest with: {latest[0].status}", _ANSWERED.get(code, "look into the app's log")
    )


async def _installations(github: GitHubApp) -> AsyncIterator[Finding]:
    found = await github.installations()
    if not found:
        url = "the App's page, `Install App`"
        yield Finding("installation", False, "the App is installed nowhere", f"install it on your repositories: {url}")
    for one in found:
        state = Finding("installation", False, f"{one.account} suspended the App", "unsuspend it in the account's settings")
        yield state if one.suspended else _permissions(f"its installation on {one.account}", one.permissions)


async def _repositories(settings: Settings, github: GitHubApp) -> AsyncIterator[Finding]:
    refs = (await github.installed()).repositories
    for ref in refs[:_MOST_REPOSITORIES]:
        where = github.repository(ref.full_name, ref.id, ref.installation_id)
        try:
            async for found in _repository(settings, ref, where):
                yield found
        except (UserError, TransientError) as error:
            yield Finding("repository", False, f"{ref.full_name}: {error}", "look at the permissions above, and try again")
    if len(refs) > _MOST_REPOSITORIES:
        yield Finding("repository", True, f"{len(refs) - _MOST_REPOSITORIES} more were not looked at")


async def _repository(settings: Settings, ref: RepositoryRef, where: RepositoryClient) -> AsyncIterator[Finding]:
    name, branch = ref.full_name, (await where.about()).default_branch
    if not ref.private:
        yield _public(settings, name)
    own, mistake = _own_settings(settings, name, await where.file_text(settings_file.PATH))
    if mistake is not None:
        yield mistake
    if settings.backend == "actions":
        yield _workflow(settings, own, name, await inspection.workflow(where, settings.workflow_file))
        if not settings.runners_on_demand:
            yield await _runners(settings, own, where)
    for label in (settings.label, *own.labels):
        if await inspection.has_label(where, label):
            yield Finding("label", True, f"{name} has `{label}`")
        else:
            fix = f"make the label `{label}` there; `shoal init` does it too"
            yield Finding("label", False, f"{name} has no label `{label}`", fix)
    if not await inspection.is_protected(where, branch):
        fix = "protect it by a ruleset that asks for pull requests: a permission to write contents reaches every unprotected branch"
        yield warn("ruleset", f"nothing guards `{branch}` of {name}", fix)


def _own_settings(settings: Settings, name: str, text: str | None) -> tuple[RepositorySettings, Finding | None]:
    """The repository's own, as they stand on its default branch now; all defaults while they have a mistake."""
    try:
        return settings_file.parse(text or "", partial(not_allowed, settings)), None
    except settings_file.SettingsMistake as mistake:
        return RepositorySettings(), Finding("settings", False, f"{name}: {mistake}", "correct it on the default branch")


def _public(settings: Settings, name: str) -> Finding:
    if not settings.allow_public_repositories:
        fix = "leave it so, or set SHOAL_ALLOW_PUBLIC_REPOSITORIES=true once you know who can open issues there"
        return warn("visibility", f"{name} is public: nothing is worked on there", fix)
    fix = "use runners that keep nothing, apart from those of private repositories"
    return warn("visibility", f"{name} is public: strangers write its issues, and agents read them on your runners", fix)


def _workflow(settings: Settings, own: RepositorySettings, name: str, found: tuple[str, str] | None) -> Finding:
    path = f".github/workflows/{settings.workflow_file}"
    if found is None:
        fix = "run `shoal init` in a checkout and push to the default branch"
        return Finding("workflow", False, f"{name} has no {path} on its default branch", fix)
    state, text = found
    if state != "active":
        return Finding(
            "workflow", False, f"{path} of {name} is {state.replace('_', ' ')}", "enable it on the repository's Actions page"
        )
    said, labels = _runner_labels(settings, own)
    if wrong := workflow_file.outdated(text, settings.runner_url, labels, said):
        fix = "run `shoal init --force` in a checkout and push to the default branch"
        return Finding("workflow", False, f"{path} of {name} is outdated: {'; '.join(wrong)}", fix)
    return Finding("workflow", True, f"{path} of {name} is active")


def _runner_labels(settings: Settings, own: RepositorySettings) -> tuple[str, tuple[str, ...]]:
    """Which setting names them, and the labels."""
    ours = f"`runner_labels` in {settings_file.PATH}"
    return (ours, own.runner_labels) if own.runner_labels else ("SHOAL_RUNNER_LABELS", settings.runner_labels)


async def _runners(settings: Settings, own: RepositorySettings, where: RepositoryClient) -> Finding:
    said, asked = _runner_labels(settings, own)
    name, wanted = where.full_name, frozenset(label.lower() for label in asked)
    fleet = Fleet(time.monotonic)
    theirs, shared = await fleet.own(where), await fleet.shared(where)
    if theirs is None:
        return warn("runners", f"the App may not list those of {name}", "grant it `administration: read`")
    found = (*theirs, *(shared or ()))
    fitting = [one for one in found if wanted <= one.labels]
    online = [one for one in fitting if one.online]
    labels = ", ".join(sorted(wanted))
    if online:
        return Finding("runners", True, f"{name}: {len(online)} online with {labels}, {sum(one.busy for one in online)} busy")
    if shared is None:
        said = f"{name}: none of its own with {labels} is online, and the App may not list its organisation's"
        return warn("runners", f"{said}: jobs are dispatched unseen", FIX)
    if fitting:
        names = ", ".join(one.name for one in fitting)
        return Finding("runners", False, f"{name}: no runner with {labels} is online ({names})", "start one")
    has = "; ".join(f"{one.name}: {', '.join(sorted(one.labels))}" for one in found) or "none"
    return Finding("runners", False, f"{name}: no runner has {labels}; there are: {has}", f"correct {said}, or add a runner")

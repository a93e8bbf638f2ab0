"""The App manifest flow in a browser: the form that another site posts, the code it leads back with, and the install page."""

import re
import secrets
from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from app.localhub import apps
from app.localhub.errors import Refused, not_found
from app.localhub.hub import Hub
from app.localhub.pages import ENVIRONMENT
from app.localhub.records import Account, App, Level

CODE_LIFE_SECONDS = 3600
# An App may listen only to what it may read. Source: GitHub's list of events, "availability" and permissions.
_NEEDED = {
    "issues": ("issues",),
    "issue_comment": ("issues", "pull_requests"),
    "issue_dependencies": ("issues",),
    "sub_issues": ("issues",),
    "pull_request": ("pull_requests",),
    "push": ("contents",),
    "check_run": ("checks",),
    "check_suite": ("checks",),
    "status": ("statuses",),
    "workflow_job": ("actions",),
    "workflow_run": ("actions",),
    "repository": ("metadata",),
}
# Forms lead to whatever site sent the browser here.
_POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action *"

Url = Annotated[str, Field(pattern=r"^https?://[^/\s]+(/\S*)?$")]
Form = dict[str, str]


class Hook(BaseModel):
    """Where webhooks go."""

    url: Url
    active: bool = True


class Manifest(BaseModel):
    """What an App may ask for; a key that GitHub does not know is a mistake of the sender."""

    model_config = ConfigDict(extra="forbid")

    url: Url
    name: str = Field(default="", max_length=34)
    hook_attributes: Hook | None = None
    redirect_url: Url
    callback_urls: list[Url] = Field(default=[], max_length=10)
    setup_url: Url | None = None
    description: str = ""
    public: bool = False
    default_events: list[str] = []
    default_permissions: dict[str, Level] = {}
    request_oauth_on_install: bool = False
    setup_on_update: bool = False


def routes(hub: Hub) -> list[Route]:
    """Everything between "register" and "installed"."""
    rows: tuple[tuple[str, str, Callable[[Hub, Request, Form], Response]], ...] = (
        ("POST", "/settings/apps/new", _form),
        ("POST", "/organizations/{org}/settings/apps/new", _form),
        ("POST", "/settings/apps", _create),
        ("GET", "/apps/{slug}/installations/new", _choose),
        ("POST", "/apps/{slug}/installations", _install),
    )
    return [Route(path, _endpoint(hub, page), methods=[method]) for method, path, page in rows]


def _endpoint(hub: Hub, page: Callable[[Hub, Request, Form], Response]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        raw = (await request.body()).decode("utf-8", "replace")
        form = {name: values[-1] for name, values in parse_qs(raw, keep_blank_values=True).items()}

        def work() -> Response:
            with hub.state.lock:
                try:
                    return page(hub, request, form)
                finally:
                    hub.state.commit()

        try:
            response = await run_in_threadpool(work)
        except Refused as refused:
            return PlainTextResponse(f"{refused}\n", refused.status)
        response.headers["Content-Security-Policy"] = _POLICY
        return response

    return answer


def _form(hub: Hub, request: Request, form: Form) -> Response:
    """Shows the owner what is asked for; the name may still be changed."""
    manifest = _read(form)
    owner = _owner(hub, request.path_params.get("org", ""))
    context = {
        "title": "Register a GitHub App",
        "manifest": manifest,
        "raw": form["manifest"],
        "owner": owner,
        "state": request.query_params.get("state", ""),
    }
    return HTMLResponse(ENVIRONMENT.get_template("register.html").render(context))


def _create(hub: Hub, _request: Request, form: Form) -> Response:
    """The App, and a code for one exchange within the hour; it travels in the address, so it must not be worth anything later."""
    manifest, name = _read(form), form.get("name", "").strip()
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if not slug or len(name) > 34:
        raise Refused(422, "Name is missing, or longer than 34 characters")
    if hub.state.apps.find(lambda row: row.slug == slug):
        raise Refused(422, f"Name {name} is already taken")
    private_key, public_key = apps.key_pair()
    hook = manifest.hook_attributes
    app = apps.register(
        hub,
        slug,
        _owner(hub, form.get("org", "")),
        name=name,
        public_key_pem=public_key,
        webhook_url=hook.url if hook else "",
        webhook_secret=secrets.token_hex(20) if hook and hook.active else "",
        permissions={key: level for key, level in manifest.default_permissions.items() if key != "metadata"},
        events=manifest.default_events,
        setup_url=manifest.setup_url or "",
        code=secrets.token_hex(20),
        code_expires_at=hub.state.now() + CODE_LIFE_SECONDS,
        client_secret=secrets.token_hex(20),
        private_key_pem=private_key,
    )
    return _back(manifest.redirect_url, code=app.code, state=form.get("state", ""))


def _choose(hub: Hub, request: Request, _form: Form) -> Response:
    """Which repositories."""
    context = {"title": "Install", "app": _app(hub, request), "repositories": list(hub.state.repositories)}
    return HTMLResponse(ENVIRONMENT.get_template("install.html").render(context))


def _install(hub: Hub, request: Request, form: Form) -> Response:
    app, names = _app(hub, request), form.get("repository", "").split()
    if not names:
        raise Refused(422, "No repository was chosen")
    made = apps.install(hub, app, [hub.state.repository(*name.split("/", 1)) for name in names])
    where = app.setup_url or f"{hub.state.url}/"
    return _back(where, installation_id=str(made.id), setup_action="install")


def _read(form: Form) -> Manifest:
    try:
        manifest = Manifest.model_validate_json(form.get("manifest", ""))
    except ValidationError as error:
        first = error.errors()[0]
        raise Refused(422, f"Invalid GitHub App configuration: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    for event in manifest.default_events:
        if not set(_NEEDED.get(event, ())) & set(manifest.default_permissions):
            raise Refused(422, f"Invalid GitHub App configuration: default events are not supported by permissions: {event}")
    return manifest


def _owner(hub: Hub, organisation: str) -> Account:
    """Whoever sits at the browser: there is no login here; an organisation has to exist."""
    if not organisation:
        return apps.account(hub, "app-owner", "User")
    found = hub.state.account(organisation)
    if found.type != "Organization":
        raise not_found()
    return found


def _app(hub: Hub, request: Request) -> App:
    found = hub.state.apps.find(lambda row: row.slug == request.path_params["slug"])
    if found is None:
        raise not_found()
    return found


def _back(url: str, **query: Any) -> Response:
    joint = "&" if urlsplit(url).query else "?"
    return RedirectResponse(f"{url}{joint}{urlencode(query)}", 302)

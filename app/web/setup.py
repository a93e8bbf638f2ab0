"""The set-up page: one form makes the GitHub App, and the code that comes back makes this app a configured one."""

import asyncio
import hmac
import re
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx
import structlog
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app import registration
from app.github import manifest
from app.github.transport import LOOPBACK
from app.settings import Place, api_of
from app.web.envelope import Envelope
from app.web.setup_pages import installed, page, style
from shared.errors import FatalError, TransientError, UserError

log = structlog.get_logger()
_MOST_STATES = 32
_ACCOUNT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,38}")
_CODE = re.compile(r"[A-Za-z0-9_-]{1,200}")


@dataclass(frozen=True, slots=True)
class Choice:
    """What the person chose; `problem` says why nothing can be registered with it."""

    name: str
    organisation: str
    github_url: str
    public_url: str

    @property
    def problem(self) -> str:
        """In the order in which the page asks."""
        if not 0 < len(self.name) <= manifest.NAME_LIMIT:
            return f"The name needs 1 to {manifest.NAME_LIMIT} characters."
        if self.organisation and not _ACCOUNT.fullmatch(self.organisation):
            return "That is no name of an organisation: it stands in the address of its page on GitHub."
        if not re.fullmatch(r"https?://[\w.:\[\]-]+", self.github_url):
            return "GitHub's address is like https://github.com, or that of your Enterprise Server, without a path."
        at_home = _is_loopback(self.github_url)
        if self.github_url.startswith("http:") and not at_home:
            return "GitHub's address must begin with https: the App's private key comes back over it."
        if not re.fullmatch(r"https?://[\w.:\[\]-]+(/[\w./-]*)?", self.public_url):
            return "Give the address at which GitHub reaches this app, for example https://shoal.example.com."
        if _is_loopback(self.public_url) and not at_home:
            return f"GitHub cannot reach {self.public_url}: give the address of this app on the internet, or of its tunnel."
        return ""

    @property
    def form_url(self) -> str:
        """GitHub's form for the App's owner."""
        owner = f"/organizations/{self.organisation}" if self.organisation else ""
        return f"{self.github_url}{owner}/settings/apps/new"


@dataclass
class SetUp:
    """Serves until somebody registers the App: `finished` is set when its key is on disk and the answer is sent."""

    place: Place
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    finished: asyncio.Event = field(default_factory=asyncio.Event)
    registered: bool = False
    # Which choice a `state` stands for; only who has seen the page with the token can know one.
    _choices: "OrderedDict[str, Choice]" = field(default_factory=OrderedDict)
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    def web(self) -> Starlette:
        """The page, and a plain answer to whatever else is asked of an app that is none yet."""
        return Starlette(
            routes=[
                Route("/healthz", _alive, methods=["GET"]),
                Route("/setup", self._page, methods=["GET"]),
                Route("/setup/callback", self._callback, methods=["GET"]),
                # A quick hand comes back from installing before this app has become the configured one.
                Route("/setup/installed", installed, methods=["GET"]),
                Route("/setup/style.css", style, methods=["GET"]),
                Route("/{path:path}", _not_yet, methods=["GET", "POST"]),
            ],
            middleware=[Middleware(Envelope)],
        )

    async def _page(self, request: Request) -> Response:
        given = request.query_params.get("token", "")
        if not hmac.compare_digest(given.encode(), self.token.encode()):
            return page(
                "problem.html", 403, problem="This page opens only at the address that `shoal serve` has printed.", again=""
            )
        choice = self._chosen(request)
        state = secrets.token_urlsafe(32)
        if not choice.problem:
            self._choices[state] = choice
            while len(self._choices) > _MOST_STATES:
                self._choices.popitem(last=False)
        asked = manifest.manifest(choice.name, choice.public_url, self._back_to(request, choice))
        return page(
            "setup.html",
            forms_to=choice.github_url if not choice.problem else "",
            token=self.token,
            state=state,
            choice=choice,
            manifest=asked,
            fixed=self.place.model_fields_set,
            name_limit=manifest.NAME_LIMIT,
        )

    def _chosen(self, request: Request) -> Choice:
        """What the query says, else what the operator has set, else what can be guessed."""
        said: Mapping[str, str] = request.query_params
        here = str(request.base_url).rstrip("/")
        public_url = self.place.public_url if "public_url" in self.place.model_fields_set else said.get("public_url", here)
        github_url = self.place.github_url if "github_url" in self.place.model_fields_set else said.get("github_url", "")
        organisation = said.get("organisation", "").strip()
        return Choice(
            name=said.get("name", "").strip() or f"Shoal {organisation or secrets.token_hex(3)}"[: manifest.NAME_LIMIT],
            organisation=organisation,
            github_url=(github_url.strip() or self.place.github_url).rstrip("/").lower(),
            public_url=public_url.strip().rstrip("/"),
        )

    def _back_to(self, request: Request, choice: Choice) -> str:
        """Through the proxy if this page was opened there, else straight: the browser is known to get here."""
        here = str(request.base_url).rstrip("/")
        same = urlsplit(here).netloc == urlsplit(choice.public_url).netloc
        return f"{choice.public_url if same else here}/setup/callback"

    async def _callback(self, request: Request) -> Response:
        state, code = request.query_params.get("state", ""), request.query_params.get("code", "")
        choice = self._choices.get(state)
        if choice is None:
            return self._problem(403, "This did not begin at the set-up page of this app, or it was started again since.")
        if not _CODE.fullmatch(code):
            return self._problem(400, "GitHub sent no code along.")
        async with self._one_at_a_time:
            if self.registered:
                return self._problem(409, "An App is registered already; this app starts with it.")
            try:
                made = await self._register(choice, code)
            except TransientError as error:
                return self._problem(502, f"{error}. Load this page again in a moment: the code is good for an hour.")
            except (UserError, FatalError) as error:
                return self._problem(502, f"{error}.")
            except OSError as error:
                return self._problem(500, f"{error.filename} cannot be written ({error.strerror}). Delete the App on GitHub again.")
            self.registered = True
            # Told only after the answer has left.
            done = BackgroundTask(self.finished.set)
            return page("registered.html", background=done, app=made, install_url=f"{made.html_url}/installations/new")

    async def _register(self, choice: Choice, code: str) -> registration.Registration:
        fixed = "github_api_url" in self.place.model_fields_set
        api_url = self.place.github_api_url if fixed else api_of(choice.github_url)
        handed = await manifest.convert(api_url, code)
        secret = handed.webhook_secret or SecretStr(secrets.token_hex(32))
        made = registration.Registration(
            app_id=str(handed.id),
            slug=handed.slug,
            html_url=handed.html_url,
            client_id=handed.client_id,
            client_secret=handed.client_secret,
            webhook_secret=secret,
            github_url=choice.github_url,
            github_api_url=api_url,
            public_url=choice.public_url,
        )
        key = handed.pem.get_secret_value()
        await asyncio.to_thread(registration.keep, self.place.work_dir, made, key)
        log.info("app.registered", app=handed.id, slug=handed.slug, github=choice.github_url)
        if handed.webhook_secret is None:
            await _tell_secret(api_url, handed.id, key, secret.get_secret_value())
        return made

    def _problem(self, status: int, problem: str) -> Response:
        log.warning("setup.refused", status=status, problem=problem)
        return page("problem.html", status, problem=problem, again="Begin again at the address that `shoal serve` has printed.")


async def _tell_secret(api_url: str, app_id: int, key: str, secret: str) -> None:
    try:
        await manifest.set_webhook_secret(api_url, app_id, key, secret)
    except (UserError, TransientError) as error:
        # The App is there and its key is kept: no reason to begin again. The doctor sees that its webhooks are refused.
        log.warning("setup.webhook_secret", error=str(error), fix="set the App's webhook secret to the one in registration.json")


def _is_loopback(url: str) -> bool:
    try:
        host = httpx.URL(url).host
    except httpx.InvalidURL:
        return False
    return host in LOOPBACK or host.startswith("127.")


async def _alive(_request: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _not_yet(_request: Request) -> Response:
    return JSONResponse({"error": "no GitHub App is registered yet: open the address that `shoal serve` has printed"}, 503)

"""What the set-up shows: pages without script, whose forms lead to one GitHub only; and where GitHub leads back to afterwards."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from jinja2 import Environment

_HERE = Path(__file__).parent
STYLE = _HERE / "static" / "setup.css"


def page(
    template: str, status: int = 200, *, background: BackgroundTask | None = None, forms_to: str = "", **context: Any
) -> Response:
    """One page; `forms_to` is the only other place that its forms may lead to."""
    text = _environment().get_template(template).render(context)
    policy = (
        f"default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self' {forms_to}".rstrip()
    )
    return HTMLResponse(text, status, headers={"Content-Security-Policy": policy}, background=background)


@cache
def _environment() -> "Environment":
    # An app that is set up shows these pages once in its life: jinja2 is not loaded before.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True)


def after_routes() -> list[Route]:
    """Of the configured app: the page after installing, and a plain word for who comes back to the set-up."""
    return [
        Route("/setup", _over, methods=["GET"]),
        Route("/setup/callback", _over, methods=["GET"]),
        Route("/setup/installed", installed, methods=["GET"]),
        Route("/setup/style.css", style, methods=["GET"]),
    ]


async def style(_request: Request) -> Response:
    """The pages' one style sheet."""
    return FileResponse(STYLE, media_type="text/css")


async def _over(_request: Request) -> Response:
    said = "This app has its GitHub App already, and a code is good only once."
    return page("problem.html", 409, problem=said, again="`shoal doctor` tells what else is missing.")


async def installed(_request: Request) -> Response:
    """Where GitHub leads to after the App was installed: what comes next."""
    return page("installed.html")

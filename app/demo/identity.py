"""What a rehearsal's folder remembers, so that a second run, or an app that was killed, finds the same world."""

import secrets
import socket
from pathlib import Path

from pydantic import BaseModel, ConfigDict

OWNER, NAME = "tidewater-harbour", "tidewater"
MAINTAINER = "harbourmaster"


class Identity(BaseModel):
    """Ports, names and credentials, good for this machine's loopback only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hub_port: int
    app_port: int
    app_id: str = ""
    maintainer_token: str = ""
    webhook_secret: str
    operator_token: str

    @property
    def repository(self) -> str:
        """Full name of the sample repository."""
        return f"{OWNER}/{NAME}"

    @property
    def hub_url(self) -> str:
        """The embedded GitHub."""
        return f"http://127.0.0.1:{self.hub_port}"

    @property
    def app_url(self) -> str:
        """The app."""
        return f"http://127.0.0.1:{self.app_port}"


def file_of(folder: Path) -> Path:
    """Where the identity lies; its presence says that a folder is a rehearsal's."""
    return folder / "rehearsal.json"


def load(folder: Path) -> Identity | None:
    """The identity of an earlier run, with ports that are free now."""
    file = file_of(folder)
    if not file.exists():
        return None
    known = Identity.model_validate_json(file.read_text(encoding="utf-8"))
    ports = {
        name: port if _is_free(port) else _free_port()
        for name, port in (("hub_port", known.hub_port), ("app_port", known.app_port))
    }
    return known.model_copy(update=ports)


def new() -> Identity:
    """Fresh ports and secrets."""
    return Identity(
        hub_port=_free_port(), app_port=_free_port(), webhook_secret=secrets.token_hex(20), operator_token=secrets.token_hex(20)
    )


def save(folder: Path, identity: Identity) -> None:
    """For the owner's eyes only: it holds credentials, if only of a rehearsal."""
    file = file_of(folder)
    file.touch(mode=0o600)
    file.write_text(identity.model_dump_json(indent=2), encoding="utf-8")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True

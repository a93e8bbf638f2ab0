"""What the app needs of whoever it is on GitHub: an App on its installations, or the token of one job."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from app.found import DeliverySeen, Installed
from app.github.breaker import State

if TYPE_CHECKING:
    from app.github.repository import RepositoryClient


@dataclass(frozen=True, slots=True)
class MintedToken:
    """Opaque: its length and shape are GitHub's to change."""

    token: str = field(repr=False)
    expires_at: datetime


class TokenSource(Protocol):
    """Tokens for our own calls, and for runners."""

    @property
    def shared(self) -> bool:
        """Whether everybody gets the same token, so that nobody may revoke it."""

    async def of_installation(self, installation_id: int) -> str:
        """The token for our own calls."""

    def evict(self, installation_id: int, token: str) -> None:
        """GitHub refused it."""

    async def mint(self, installation_id: int, repository_id: int, permissions: Mapping[str, str]) -> MintedToken:
        """A token for one repository, as narrow as the source can make it."""

    async def revoke(self, token: str) -> None:
        """Returns when the token can do no more harm."""


class Access(Protocol):
    """One account on GitHub and the repositories that it works in."""

    @property
    def login(self) -> str:
        """The account that comments and pull requests have."""

    @property
    def email(self) -> str:
        """The address that its commits have."""

    @property
    def tokens(self) -> TokenSource:
        """What it proves itself with."""

    @property
    def health(self) -> State:
        """`closed` while GitHub answers, `open` while nobody asks it, `half_open` while one request finds out."""

    def repository(self, full_name: str, repository_id: int, installation_id: int) -> "RepositoryClient":
        """A client; cheap, for the pool and the limits are shared."""

    def writes_left(self, installation_id: int) -> float:
        """How much more may be created on GitHub now, by the limits that we keep."""

    async def deliveries(self, since: datetime) -> tuple[DeliverySeen, ...]:
        """What GitHub tried to tell us since then, newest first."""

    async def redeliver(self, delivery_id: int) -> None:
        """Asks for another attempt."""

    async def installed(self) -> Installed:
        """What the sweep looks at."""

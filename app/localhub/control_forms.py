"""What the control door is told: one form for each thing that tests and the demo do."""

from pathlib import Path

from pydantic import BaseModel, Field

from app.localhub.records import Level, Role


class NewRepository(BaseModel):
    """A repository whose first commit holds the files of `folder`."""

    owner: str
    name: str
    folder: Path
    default_branch: str = "main"
    private: bool = False
    description: str = ""
    message: str = "First commit"


class NewPerson(BaseModel):
    """A person; `roles` by the repository's full name."""

    login: str
    name: str = ""
    email: str = ""
    roles: dict[str, Role] = Field(default_factory=dict)


class NewApp(BaseModel):
    """An App's registration; without a public key one pair is made and the private half told once."""

    slug: str
    name: str = ""
    public_key_pem: str = ""
    webhook_url: str = ""
    webhook_secret: str = ""
    permissions: dict[str, Level] = Field(default_factory=dict)
    events: list[str] = Field(default_factory=list)


class AppChange(BaseModel):
    """What an App's owner may change later."""

    webhook_url: str | None = None
    webhook_secret: str | None = None
    events: list[str] | None = None


class NewInstallation(BaseModel):
    """An App on these repositories, by full name; permissions default to what the App asks for."""

    repositories: list[str]
    permissions: dict[str, Level] | None = None


class Suspension(BaseModel):
    """Whether an installation is suspended."""

    is_suspended: bool


class Chosen(BaseModel):
    """What an installation is on from now on, by full name."""

    repositories: list[str]


class NewCommit(BaseModel):
    """A commit by a person: text by path, null deletes; `branch` is made from `start` when it does not exist."""

    login: str
    branch: str
    files: dict[str, str | None]
    message: str = "Change"
    start: str = ""


class Rules(BaseModel):
    """Types of the rules that guard the default branch, such as `pull_request`."""

    types: list[str]


class RepositoryChange(BaseModel):
    """What an admin changes in a repository's settings."""

    name: str | None = None
    private: bool | None = None
    archived: bool | None = None


class RoleName(BaseModel):
    """A person's role in a repository."""

    role: Role


class Press(BaseModel):
    """A person presses Re-run or one of the buttons of a check run."""

    login: str
    identifier: str = ""


class Release(BaseModel):
    """Deliveries to send, in this order; a repeated id is sent again."""

    ids: list[int]


class Clock(BaseModel):
    """How far this server's clock is ahead of the machine's."""

    offset_seconds: float


class Graphql(BaseModel):
    """The hour's points, and the fields (`Type.field`) that an older server does not have."""

    points: int = 5000
    without: list[str] = []


class RateLimit(BaseModel):
    """The primary limit, counted anew from now."""

    limit: int

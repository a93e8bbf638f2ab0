"""Everything the operator can set, read once at the start: SHOAL_* variables, then `.env`, then a TOML file."""

import json
import os
import shlex
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from app.settings_sources import CONFIG, ConfigFile, Registered, config_file
from shared.errors import UserError
from shared.models import AgentName

PREFIX = "SHOAL_"
# Agents that call no model of ours: their attempts cost nothing.
FREE_AGENTS: frozenset[AgentName] = frozenset({"patch", "command"})
_PROGRAMS: dict[AgentName, str] = {"mini-swe-agent": "mini"}
_Number = TypeVar("_Number", int, float)


def _cores() -> int:
    # A container may own fewer cores than the machine has.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _words(value: object) -> object:
    """A JSON list, or words as a shell would split them."""
    if not isinstance(value, str):
        return value
    return json.loads(value) if value.lstrip().startswith("[") else shlex.split(value)


def _names(value: object) -> object:
    return [name.strip() for name in value.split(",") if name.strip()] if isinstance(value, str) else value


def _unlimited(value: object) -> object:
    return None if isinstance(value, str) and value.strip().lower() == "none" else value


# A limit that can be switched off by the word `none`.
Limit = Annotated[_Number | None, BeforeValidator(_unlimited)]


def _public_url(values: dict[str, Any]) -> str:
    host = "127.0.0.1" if values["host"] in {"0.0.0.0", "::"} else values["host"]  # noqa: S104 compared, not bound
    return f"http://{host}:{values['port']}"


def _api_url(values: dict[str, Any]) -> str:
    return api_of(values["github_url"])


def api_of(github_url: str) -> str:
    """Where the API of a GitHub is: github.com, a company's part of ghe.com, or an Enterprise Server."""
    scheme, _, host = github_url.partition("://")
    if host == "github.com" or host.endswith(".ghe.com"):
        return f"{scheme}://api.{host}"
    return f"{github_url}/api/v3"


def _issuer(values: dict[str, Any]) -> str:
    return issuer_of(values["github_url"])


def issuer_of(github_url: str) -> str:
    """Who signs the identities of jobs there, unless an enterprise has put its own name behind it."""
    scheme, _, host = github_url.partition("://")
    if host == "github.com":
        return "https://token.actions.githubusercontent.com"
    return f"{scheme}://token.actions.{host}" if host.endswith(".ghe.com") else f"{github_url}/_services/token"


def _agent(values: dict[str, Any]) -> AgentName:
    return "command" if values["agent_command"] else "claude"


class Place(BaseSettings):
    """What holds also before there is an App: where this app listens, where its data lie, and which GitHub it talks to."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True, hide_input_in_errors=True, env_ignore_empty=True
    )

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8080, ge=0, le=65535, description="Port to listen on; 0 picks a free one.")
    public_url: str = Field(
        default_factory=_public_url,
        pattern=r"^https?://[^/]+(/.*)?$",
        description="Where links in check runs and comments lead; empty: host and port.",
    )
    runner_url: str = Field(
        default_factory=lambda values: values["public_url"],
        pattern=r"^https?://[^/]+(/.*)?$",
        description="Where runners find this app; empty: the public address.",
    )
    work_dir: Path = Field(default=Path(".shoal"), description="Folder for mirrors, logs and the work of local runners.")
    github_url: str = Field(default="https://github.com", pattern=r"^https?://[^/]+$", description="GitHub's web address.")
    github_api_url: str = Field(
        default_factory=_api_url,
        pattern=r"^https?://.*[^/]$",
        description="GitHub's API; empty: what belongs to its web address (Enterprise Server: `https://HOST/api/v3`).",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(default="INFO", description="Least level that is logged.")
    log_json: bool = Field(default=False, description="Log lines as JSON.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The first that has a value wins."""
        file = ConfigFile(settings_cls, frozenset(Settings.model_fields))
        return init_settings, env_settings, dotenv_settings, file, Registered(settings_cls)


class Settings(Place):
    """One process's settings; times and sizes carry their unit in the name."""

    webhook_secret: SecretStr = Field(
        min_length=8,
        description="Secret that GitHub signs webhooks with, at least 8 characters; without it nothing starts.",
        json_schema_extra={"fix": "set it to the webhook secret of the GitHub App (make one: `openssl rand -hex 32`)"},
    )
    app_id: str = Field(
        min_length=1,
        description="Id (or client id) of the GitHub App.",
        json_schema_extra={"fix": "set it to the App ID on the GitHub App's settings page"},
    )
    private_key_path: Path | None = Field(default=None, description="File with the App's private key (PEM, mode 0600).")
    private_key: SecretStr | None = Field(default=None, description="The private key itself, instead of a file.")
    operator_token: SecretStr | None = Field(
        default=None,
        min_length=16,
        description="Bearer token of `/status.json`, `/audit.jsonl` and `/operator`, at least 16 characters; empty: 404.",
    )
    database_url: str = Field(
        default_factory=lambda values: f"sqlite:///{values['work_dir']}/shoal.db",
        pattern=r"^(sqlite:///|postgresql\+psycopg://)",
        description="`sqlite:///file` or `postgresql+psycopg://...`; empty: a file in the work folder.",
    )
    held_dir: Path = Field(
        default_factory=lambda values: values["work_dir"] / "held",
        description="Folder of work that waits to be published; several apps share it; empty: in the work folder.",
    )
    github_writes_per_second: float = Field(default=1, gt=0, description="Sustained writes to GitHub per installation.")
    github_content_per_minute: float = Field(default=80, gt=0, description="Created comments, checks and PRs per minute.")
    github_content_per_hour: float = Field(default=500, gt=0, description="The same per hour.")
    github_points_per_minute: float = Field(default=900, gt=0, description="GitHub's points: a read costs 1, a write 5.")
    label: str = Field(default="shoal", min_length=1, max_length=50, description="The label that starts work.")
    allow_public_repositories: bool = Field(default=False, description="Also work for public repositories.")
    allowed_bots: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_names)] = Field(
        default=(), description="Logins of bots whose labels count, separated by commas."
    )
    intake_seconds: float = Field(default=20, ge=0, description="A batch is planned this long after its last label, seconds.")
    intake_max_seconds: float = Field(default=120, ge=0, description="The longest wait of a batch, seconds.")
    refresh_seconds: float = Field(
        default=60,
        ge=0,
        description="Tables in check runs and comments are brought up to date this often, seconds; verdicts at once.",
    )
    lease_seconds: float = Field(default=60, gt=0, description="An attempt without a heartbeat is lost after, seconds.")
    heartbeat_seconds: float = Field(default=10, gt=0, description="Runners report this often, seconds.")
    replica_lease_seconds: float = Field(
        default=15, gt=0, description="With several apps on one Postgres: a silent one's work is taken over after, seconds."
    )
    audit_days: float = Field(default=365, gt=0, le=36_500, description="The audit trail is kept this long, days.")
    history_days: float = Field(
        default=180,
        gt=0,
        le=36_500,
        description="Attempts of a batch that ended are kept this long, days; the newest result of an issue and what estimates "
        "learn from stay.",
    )
    sweep_seconds: float = Field(default=300, gt=0, description="GitHub is re-read for lost messages this often, seconds.")
    slots: int = Field(default_factory=_cores, ge=1, description="Tasks at the same time; empty: the number of cores.")
    adaptive_slots: bool = Field(
        default=True, description="Fewer tasks at once while the machine is pressed: halved, and one more after a calm half minute."
    )
    patience_minutes: float = Field(
        default=60, gt=0, description="A task that is ready comes first after, minutes; what it lacks is then kept for it."
    )
    memory_reserve_mib: int = Field(default=512, ge=0, description="Memory left free for everything else, MiB.")
    task_memory_mib: int = Field(default=2048, ge=1, description="Memory that one task is expected to need, MiB.")
    backend: Literal["local", "actions"] = Field(
        default="local", description="Where WorkflowManagers run: on this machine, or as jobs of GitHub Actions."
    )
    workflow_file: str = Field(
        default="shoal.yml",
        pattern=r"^[\w.-]+\.ya?ml$",
        description="File in `.github/workflows` that is dispatched.",
    )
    runner_labels: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_names)] = Field(
        default=("self-hosted",), description="Labels of the runners that the workflow asks for, separated by commas."
    )
    ci_minutes: float = Field(
        default=60, ge=0, description="The repository's own CI is waited for so long after a pull request, minutes; 0: not at all."
    )
    hold_hours: float = Field(
        default=168, gt=0, le=8760, description="Work that waits to be published (`publish: hold`) is deleted after, hours."
    )
    runners_on_demand: bool = Field(
        default=False, description="Runners come when a job waits (actions-runner-controller, JIT): none is looked for before."
    )
    oidc_issuer: str = Field(
        default_factory=_issuer,
        pattern=r"^https?://.*[^/]$",
        description="Who signs the identities of jobs; empty: GitHub's issuer for its web address. An enterprise that put its name "
        "into the issuer sets `https://token.actions.githubusercontent.com/NAME`.",
    )
    queue_minutes: float = Field(default=60, gt=0, description="A dispatched job that claims nothing is lost after, minutes.")
    start_minutes: float = Field(default=10, gt=0, description="A job on a runner that claims nothing is lost after, minutes.")
    agent_command: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)] = Field(
        default=(),
        description="With agent `command` its whole line, as words or a JSON list; with another, the program to start instead.",
    )
    agent: AgentName = Field(
        default_factory=_agent,
        description="The coding agent: a name, a `command`, or prepared patches (`patch`); empty: `claude`, or the command if set.",
    )
    agent_model: str = Field(default="", description="The model that the agent is asked to use; empty: its own default.")
    allowed_agents: Annotated[tuple[AgentName, ...], NoDecode, BeforeValidator(_names)] = Field(
        default=(), description="Agents that a repository's own file may choose besides `SHOAL_AGENT`, separated by commas."
    )
    allowed_models: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_names)] = Field(
        default=(), description="Models that a repository's own file may choose besides `SHOAL_AGENT_MODEL`, separated by commas."
    )
    agent_options: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)] = Field(
        default=(), description="Arguments added to the agent's own, as words or a JSON list."
    )
    model_keys: Path | None = Field(
        default=None, description="File with the models' keys (TOML, mode 0600), read by local runners; empty: the environment."
    )
    agent_folder: str = Field(default="", description="Folder of prepared patches; with agent `patch`.")
    agent_think_seconds: float = Field(default=0, ge=0, description="Wait in place of a model, seconds; with agent `patch`.")
    isolation: Literal["required", "preferred", "none"] = Field(
        default="required", description="Whether repository and agent code must run inside bubblewrap."
    )
    setup_network: bool = Field(
        default=False, description="Whether set-up commands may use the network; `pip install` and its like need it."
    )
    protected_changes: Literal["refuse", "draft"] = Field(
        default="refuse", description="Changes of protected files: refused, or a draft that a person must look at."
    )
    attempt_minutes: float = Field(default=180, gt=0, description="Longest attempt, minutes.")
    attempt_phase_minutes: Limit[float] = Field(
        default=None, gt=0, description="Longest phase, minutes, or `none`: as long as its commands may take together."
    )
    attempt_inactive_minutes: float = Field(default=15, gt=0, description="Longest silence of a command, minutes.")
    attempt_memory_mib: Limit[int] = Field(default=4096, ge=64, description="Memory of an attempt, MiB, or `none`.")
    attempt_output_mib: int = Field(default=64, ge=1, description="Longest output of one command, MiB.")
    disk_free_mib: int = Field(default=512, ge=0, description="An attempt ends when less is free on its disk, MiB.")
    attempt_turns: Limit[int] = Field(default=300, ge=1, description="Model calls of an attempt, or `none`.")
    attempt_tokens: Limit[int] = Field(default=None, ge=1, description="Tokens of an attempt, or `none`.")
    attempt_cost_usd: Limit[float] = Field(
        default=10, gt=0, description="Cost of an attempt, US dollars, or `none`; reserved before it starts."
    )
    orchestration_cost_usd: Limit[float] = Field(
        default=None, gt=0, description="Cost of one orchestration, US dollars, or `none`; what does not fit is not started."
    )
    day_cost_usd: Limit[float] = Field(
        default=None, gt=0, description="Cost of a day (UTC) over all repositories, US dollars, or `none`; the rest waits."
    )

    @model_validator(mode="after")
    def _together(self) -> Self:
        if self.private_key is None and self.private_key_path is None:
            raise ValueError("SHOAL_PRIVATE_KEY_PATH is missing: set it to the file with the App's private key (PEM)")
        if self.agent == "command" and not self.agent_command:
            raise ValueError("SHOAL_AGENT_COMMAND is missing: set the agent's command line, or SHOAL_AGENT=patch")
        if self.agent == "patch" and not self.agent_folder:
            raise ValueError("SHOAL_AGENT_FOLDER is missing: agent `patch` plays prepared patches from it")
        if odd := FREE_AGENTS & {*self.allowed_agents}:
            raise ValueError(f"SHOAL_ALLOWED_AGENTS is wrong: `{min(odd)}` has no name of its own, only SHOAL_AGENT can choose it")
        if self.allowed_agents and self.agent in FREE_AGENTS:
            raise ValueError("SHOAL_ALLOWED_AGENTS needs a SHOAL_AGENT whose cost is counted: budgets are reserved by that one")
        self._check_budgets()
        if self.heartbeat_seconds * 2 > self.lease_seconds:
            raise ValueError("SHOAL_HEARTBEAT_SECONDS is too long: at most half of SHOAL_LEASE_SECONDS")
        return self

    def _check_budgets(self) -> None:
        for name in ("orchestration_cost_usd", "day_cost_usd"):
            budget, variable = getattr(self, name), PREFIX + name.upper()
            if budget is None or self.agent in FREE_AGENTS:
                continue
            if self.attempt_cost_usd is None:
                raise ValueError(f"SHOAL_ATTEMPT_COST_USD is `none`, but {variable} is set: set what is reserved for each attempt")
            if self.attempt_cost_usd > budget:
                raise ValueError(
                    f"{variable} is less than SHOAL_ATTEMPT_COST_USD, so nothing would start: raise it or lower that one"
                )

    @property
    def agent_program(self) -> str:
        """What is started as the agent; empty for `patch`, which starts nothing."""
        if self.agent == "patch":
            return ""
        return self.agent_command[0] if self.agent_command else _PROGRAMS.get(self.agent, self.agent)

    def key(self) -> str:
        """The App's private key in PEM."""
        if self.private_key is not None:
            return self.private_key.get_secret_value().replace("\\n", "\n")
        assert self.private_key_path is not None, "validated together"  # noqa: S101
        try:
            return self.private_key_path.read_text()
        except OSError as error:
            raise UserError(
                f"SHOAL_PRIVATE_KEY_PATH: `{self.private_key_path}` cannot be read ({error.strerror}): name the App's PEM file"
            ) from error


def load(**overrides: Any) -> Settings:
    """The settings of this process, or one UserError that names every wrong variable or key and its fix."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        path, in_file = config_file()
        wrong = [_explain(detail, path, in_file) for detail in error.errors() if detail["type"] != "default_factory_not_called"]
        raise UserError("\n".join(wrong)) from None  # the cause may quote a secret


class _AppGiven(Place):
    """What the operator said of an App."""

    app_id: str = ""
    webhook_secret: SecretStr | None = None
    private_key_path: Path | None = None
    private_key: SecretStr | None = None


def unregistered() -> Place | None:
    """The settings of a machine that knows nothing of an App yet; None when it does."""
    try:
        given = _AppGiven()
    except ValidationError:
        given = None  # load() below says what is wrong
    if given and (given.app_id or given.webhook_secret or given.private_key_path or given.private_key):
        return None
    # As if there were one: nobody should register an App and only then hear of a typing mistake elsewhere.
    return load(app_id="none yet", webhook_secret="none yet", private_key="none yet")  # noqa: S106 no secret


def strangers(names: list[str]) -> list[str]:
    """A line for each SHOAL_ variable that no setting reads: most are typing mistakes."""
    known = [CONFIG, *(PREFIX + name.upper() for name in Settings.model_fields)]
    lines = []
    for name in sorted(names):
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            near = get_close_matches(name.upper(), known, n=1)
            lines.append(f"{name} is not a setting" + (f"; did you mean {near[0]}?" if near else ""))
    return lines


def _explain(detail: ErrorDetails, path: Path, in_file: Mapping[str, Any]) -> str:
    if not detail["loc"]:
        return detail["msg"].removeprefix("Value error, ")
    name = str(detail["loc"][0])
    variable = PREFIX + name.upper()
    field = Settings.model_fields[name]
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    fix = str(extra.get("fix", field.description))
    if detail["type"] == "missing":
        return f"{variable} is missing: {fix}"
    what = detail["msg"].removeprefix("Value error, ")
    # The environment wins over the file, so a variable that is set is the one at fault.
    where = f"{path}: `{name}`" if name in in_file and not os.environ.get(variable) else variable
    return f"{where} is wrong ({what[:1].lower()}{what[1:]}): {fix}"

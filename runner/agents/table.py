"""The agents that differ by data alone: a program, a command line and a way to read what it prints."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from runner.agents import events, program
from runner.agents.program import Help, Program
from runner.agents.shape import MODEL_KEY, MODEL_URL, Call, Configured, Event, Order, Pass, Probe, Provider
from runner.endings import AttemptEnds
from runner.sandbox import Bind
from shared.models import VerdictName

# Where a program takes its task in argv only; the task itself never stands there.
_READ_THE_FILE = "Read the file {prompt} first and carry out what it says, completely and by yourself."
_ABOVE = "Carry out what is written above, completely and by yourself."


class Shape(NamedTuple):
    """What an order becomes: arguments after the program's own, and the rest of a Call."""

    arguments: tuple[str, ...]
    stdin: bool = False
    env: Mapping[str, str] = {}
    files: Mapping[str, str] = {}


@dataclass(frozen=True)
class TableAgent:
    """Has the shape of an Agent; `hidden` are flags that its help does not tell."""

    program: Program
    providers: tuple[Provider, ...]
    says_result: bool
    reader: Callable[[str], Iterable[Event]]
    shape: Callable[[Order], Shape]
    env: Mapping[str, str] = field(default_factory=dict)

    def call(self, order: Order) -> Call | None:
        begun = program.start(order.brief, self.program)
        shape = self.shape(order)
        argv = (*begun.argv, *shape.arguments, *order.brief.agent.options)
        stdin = order.prompt.read_bytes() if shape.stdin else b""
        binds = begun.binds if shape.stdin else (*begun.binds, Bind(order.prompt.parent))
        return Call(argv, stdin, binds, {**self.env, **shape.env}, shape.files)

    def read(self, line: str) -> Iterable[Event]:
        return self.reader(line)

    def probe(self, brief: Configured) -> Probe:
        return program.probe(brief, self.program)


def model_of(configured: Configured, agent: str) -> tuple[Provider, str]:
    """The two halves of "anthropic/claude-sonnet-4-5": these agents speak to several providers."""
    prefix, _, name = configured.agent.model.partition("/")
    found: Mapping[str, Provider] = {"anthropic": "anthropic", "openai": "openai", "gemini": "gemini", "google": "gemini"}
    if not name or prefix not in found:
        fix = f"set agent.model to PROVIDER/MODEL, with {', '.join(sorted(found))} as PROVIDER"
        raise AttemptEnds(VerdictName.AGENT_FAILED, f"{agent} does not know the model `{configured.agent.model}`: {fix}")
    return found[prefix], name


def _reads(order: Order) -> bool:
    return order.which in {Pass.RESEARCH, Pass.REVIEW}


def _session(order: Order) -> str:
    """The earlier pass that this one goes on with; a review is another eye."""
    return "" if order.which is Pass.REVIEW else order.session


def _gemini(order: Order) -> Shape:
    brief = order.brief
    mode = "plan" if _reads(order) else "yolo"
    arguments = ["--prompt", _ABOVE, "--output-format", "stream-json", "--approval-mode", mode, "--skip-trust"]
    # Neither of these names exists: no extension, no MCP server of the checkout is loaded.
    arguments += ["--extensions", "none", "--allowed-mcp-server-names", "none"]
    arguments += ["--model", brief.agent.model] if brief.agent.model else []
    arguments += ["--resume", _session(order)] if _session(order) else []
    model = {"model": {"maxSessionTurns": brief.limits.turns}} if brief.limits.turns else {}
    settings = {**_GEMINI_SETTINGS, **model}
    return Shape(tuple(arguments), stdin=True, files={".gemini/settings.json": json.dumps(settings)})


_GEMINI_SETTINGS = {
    # With another base URL it does not find out by itself how to log in.
    "security": {"auth": {"selectedType": "gemini-api-key"}},
    "privacy": {"usageStatisticsEnabled": False},
    "telemetry": {"enabled": False},
    "general": {"enableAutoUpdate": False, "enableAutoUpdateNotification": False, "maxAttempts": 4},
    "hooksConfig": {"enabled": False},
    # GEMINI.md of the checkout is not read: the repository's instructions come with the prompt, from the pinned commit.
    "context": {"fileName": ["no-instructions-from-the-checkout.md"]},
}


def _opencode(order: Order) -> Shape:
    provider, name = model_of(order.brief, "opencode")
    package, version = {
        "anthropic": ("@ai-sdk/anthropic", "v1"),
        "openai": ("@ai-sdk/openai-compatible", "v1"),
        "gemini": ("@ai-sdk/google", "v1beta"),
    }[provider]
    options = {"baseURL": f"{MODEL_URL}/{version}", "apiKey": MODEL_KEY}
    model = f"shoal/{name}"
    config = {
        "provider": {"shoal": {"npm": package, "name": "shoal", "options": options, "models": {name: {}}}},
        "small_model": model,
        "autoupdate": False,
        "share": "disabled",
    }
    if _reads(order):  # its agent "plan" alone would still run commands
        config["permission"] = {"edit": "deny", "bash": "deny"}
    # A title of our own saves the call in which a model makes one up.
    arguments = ["run", "--format", "json", "--auto", "--pure", "--title", "shoal", "--model", model]
    arguments += ["--agent", "plan"] if _reads(order) else ["--agent", "build"]
    arguments += ["--session", _session(order)] if _session(order) else []
    return Shape(tuple(arguments), stdin=True, files={".config/opencode/opencode.json": json.dumps(config)})


def _copilot(order: Order) -> Shape:
    provider, name = model_of(order.brief, "copilot")
    arguments = ["--output-format", "json", "--stream", "off", "--no-ask-user", "--no-auto-update", "--no-color"]
    arguments += ["--no-custom-instructions", "--disable-builtin-mcps", "--no-remote"]
    # Denied wins over allowed.
    arguments += ["--allow-all-tools", *(["--deny-tool=write", "--deny-tool=shell"] if _reads(order) else [])]
    arguments += [f"--resume={_session(order)}"] if _session(order) else []
    url = MODEL_URL if provider == "anthropic" else f"{MODEL_URL}/v1"
    kind = "anthropic" if provider == "anthropic" else "openai"
    return Shape(
        tuple(arguments),
        stdin=True,
        env={"COPILOT_PROVIDER_BASE_URL": url, "COPILOT_PROVIDER_TYPE": kind, "COPILOT_MODEL": name},
    )


def _aider(order: Order) -> Shape:
    model_of(order.brief, "aider")
    arguments = ["--message-file", str(order.prompt), "--model", order.brief.agent.model, "--yes-always", "--no-auto-commits"]
    arguments += ["--no-stream", "--no-pretty", "--no-check-update", "--analytics-disable", "--no-show-release-notes"]
    arguments += ["--no-suggest-shell-commands", "--no-gitignore", "--env-file", "/dev/null"]
    # Its history files would lie in the worktree.
    arguments += ["--chat-history-file", "/dev/null", "--input-history-file", "/dev/null"]
    arguments += ["--chat-mode", "ask"] if _reads(order) else []
    return Shape(tuple(arguments), env=_LITELLM)


def _mini(order: Order) -> Shape:
    model_of(order.brief, "mini-swe-agent")
    task = _READ_THE_FILE.format(prompt=order.prompt)
    arguments = ["--model", order.brief.agent.model, "--task", task, "--yolo", "--exit-immediately", "--cost-limit", "0"]
    env = {**_LITELLM, "MSWEA_CONFIGURED": "true", "MSWEA_COST_TRACKING": "ignore_errors"}
    env |= {"MSWEA_MODEL_RETRY_STOP_AFTER_ATTEMPT": "3"}  # its own default is ten, with growing pauses
    return Shape(tuple(arguments), env=env)


# What litellm reads, under which aider and mini-swe-agent call their models.
_LITELLM = {
    "ANTHROPIC_API_BASE": MODEL_URL,
    "ANTHROPIC_API_KEY": MODEL_KEY,
    "OPENAI_API_BASE": f"{MODEL_URL}/v1",
    "OPENAI_API_KEY": MODEL_KEY,
    "GEMINI_API_BASE": MODEL_URL,
    "GEMINI_API_KEY": MODEL_KEY,
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    # Both break their lines at the width of a screen: an error in two would be half an error.
    "COLUMNS": "400",
}

_ALL: tuple[Provider, ...] = ("anthropic", "openai", "gemini")

gemini = TableAgent(
    Program(
        "gemini",
        "0.61.0",
        "npm install -g @google/gemini-cli",
        (
            Help(
                ("--help",),
                (
                    *("--prompt", "--output-format", "--approval-mode", "--skip-trust", "--extensions"),
                    *("--allowed-mcp-server-names", "--model", "--resume"),
                ),
            ),
        ),
    ),
    ("gemini",),
    says_result=True,
    reader=events.gemini,
    shape=_gemini,
    env={"GEMINI_API_KEY": MODEL_KEY, "GOOGLE_GEMINI_BASE_URL": MODEL_URL, "GEMINI_TELEMETRY_ENABLED": "false"},
)
opencode = TableAgent(
    Program(
        "opencode",
        "1.18.33",
        "npm install -g opencode-ai",
        (Help(("run", "--help"), ("--format", "--auto", "--pure", "--title", "--model", "--agent", "--session")),),
    ),
    _ALL,
    says_result=False,
    reader=events.opencode,
    shape=_opencode,
    env={
        "OPENCODE_DISABLE_PROJECT_CONFIG": "1",
        "OPENCODE_DISABLE_CLAUDE_CODE": "1",
        "OPENCODE_DISABLE_AUTOUPDATE": "1",
        "OPENCODE_DISABLE_MODELS_FETCH": "1",
        "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
    },
)
copilot = TableAgent(
    Program(
        "copilot",
        "1.0.102",
        "npm install -g @github/copilot",
        (
            Help(
                ("--help",),
                (
                    *("--output-format", "--stream", "--no-ask-user", "--no-auto-update", "--no-color", "--no-custom-instructions"),
                    *("--disable-builtin-mcps", "--no-remote", "--allow-all-tools", "--deny-tool", "--resume"),
                ),
            ),
        ),
    ),
    ("openai", "anthropic"),
    says_result=True,
    reader=events.copilot,
    shape=_copilot,
    # It would take a GITHUB_TOKEN for its own; offline it speaks to the given provider alone.
    env={"COPILOT_OFFLINE": "true", "COPILOT_PROVIDER_API_KEY": MODEL_KEY},
)
aider = TableAgent(
    Program(
        "aider",
        "0.86.2",
        "pipx install aider-chat",
        (
            Help(
                ("--help",),
                (
                    *("--message-file", "--model", "--yes-always", "--no-auto-commits", "--no-stream", "--no-pretty"),
                    *("--no-check-update", "--analytics-disable", "--no-show-release-notes", "--no-suggest-shell-commands"),
                    *("--no-gitignore", "--env-file", "--chat-history-file", "--input-history-file", "--chat-mode"),
                ),
            ),
        ),
    ),
    _ALL,
    says_result=False,
    reader=events.aider,
    shape=_aider,
)
mini_swe_agent = TableAgent(
    Program(
        "mini",
        "2.4.6",
        "pipx install mini-swe-agent && pipx inject mini-swe-agent mcp",
        (Help(("--help",), ("--model", "--task", "--yolo", "--exit-immediately", "--cost-limit")),),
        version="--help",  # above which it names it; it has no --version
    ),
    _ALL,
    says_result=False,
    reader=events.mini,
    shape=_mini,
)

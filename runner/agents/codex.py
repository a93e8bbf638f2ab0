"""OpenAI's Codex: `codex exec --json`."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from runner.agents import program
from runner.agents.lines import Json, deed, inner, objects, parsed, text, usage
from runner.agents.program import Help, Program
from runner.agents.shape import MODEL_KEY, MODEL_URL, Call, Configured, Event, Order, Pass, Probe, Provider

_COMMON = ("--json", "--strict-config", "--skip-git-repo-check", "--ignore-user-config", "--ignore-rules")
PROGRAM = Program(
    name="codex",
    tried="0.169.0",
    install="npm install -g @openai/codex",
    helps=tuple(Help(page, (*_COMMON, "--config", "--model")) for page in (("exec", "--help"), ("exec", "resume", "--help"))),
)
providers: Sequence[Provider] = ("openai",)
says_result = True

_PROVIDER: Mapping[str, str | int] = {
    "name": "shoal",
    "base_url": f"{MODEL_URL}/v1",
    "env_key": "OPENAI_API_KEY",
    "wire_api": "responses",
    # Its own default of five takes 25 s to say that the API is gone.
    "request_max_retries": 3,
    "stream_max_retries": 3,
}
_SETTINGS: Mapping[str, str | int | bool] = {
    "model_provider": "shoal",
    "approval_policy": "never",
    # AGENTS.md reaches the prompt from the pinned commit, not from the tree.
    "project_doc_max_bytes": 0,
    "check_for_update_on_startup": False,
    "analytics.enabled": False,
    "web_search": "disabled",
}


def call(order: Order) -> Call | None:
    """The prompt on standard input; a session's later passes resume it, the review begins a new one."""
    brief, which = order.brief, order.which
    begun = program.start(brief, PROGRAM)
    resumed = ["resume", order.session] if order.session and which is not Pass.REVIEW else []
    settings = {**_SETTINGS, "sandbox_mode": _sandbox(order)}
    flags = [*_COMMON, *(["--model", brief.agent.model] if brief.agent.model else [])]
    flags += ["--config", f"model_providers.shoal={_toml(_PROVIDER)}"]
    for name, value in settings.items():
        flags += ["--config", f"{name}={json.dumps(value)}"]
    argv = (*begun.argv, "exec", *resumed, *flags, *brief.agent.options, "-")
    return Call(argv, stdin=order.prompt.read_bytes(), binds=begun.binds, env={"OPENAI_API_KEY": MODEL_KEY})


def probe(brief: Configured) -> Probe:
    return program.probe(brief, PROGRAM)


def _sandbox(order: Order) -> str:
    """Its own sandbox cannot work inside ours; where there is none of ours, it is the only one."""
    if order.brief.isolation != "none":
        return "danger-full-access"
    return "read-only" if order.which in {Pass.RESEARCH, Pass.REVIEW} else "workspace-write"


def _toml(table: Mapping[str, str | int]) -> str:
    return "{" + ", ".join(f"{name}={json.dumps(value)}" for name, value in table.items()) + "}"


def read(line: str) -> Iterable[Event]:
    event = parsed(line)
    match event.get("type"):
        case "thread.started":
            return (Event("started", "codex", session=text(event, "thread_id")),)
        case "item.completed":
            return _item(inner(event, "item"))
        case "error":
            words = text(event, "message")
            return (Event("retry" if words.startswith("Reconnecting") else "error", words),)
        case "turn.completed":
            total = usage(inner(event, "usage"), "input_tokens", "cached_input_tokens", "output_tokens")
            return (Event("result", usage=total, of_session=True),)
        case "turn.failed":
            return (Event("result", text(inner(event, "error"), "message"), ok=False),)
    return ()


def _item(item: Json) -> Iterator[Event]:
    kind = text(item, "type")
    if kind == "agent_message":
        yield Event("said", text(item, "text") + "\n")
    elif kind == "error":  # often a mere warning: it counts only when the turn fails, too
        yield Event("error", text(item, "message"))
    elif kind == "command_execution":
        yield Event("denied" if item.get("status") == "declined" else "tool", deed("shell", item))
    elif kind == "file_change":
        yield Event("tool", "edit: " + ", ".join(text(change, "path") for change in objects(item, "changes"))[:200])
    elif kind in {"mcp_tool_call", "web_search"}:
        yield Event("tool", deed(kind, item))

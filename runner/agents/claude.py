"""Claude Code: `claude -p` with its events as lines of JSON."""

from collections.abc import Iterable, Iterator, Sequence

from runner.agents import program
from runner.agents.lines import Json, deed, inner, money, number, objects, parsed, text
from runner.agents.program import Help, Program
from runner.agents.shape import MODEL_KEY, MODEL_URL, Call, Configured, Event, Order, Pass, Probe, Provider
from shared.models import Usage

PROGRAM = Program(
    name="claude",
    tried="2.1.197",
    install="npm install -g @anthropic-ai/claude-code",
    # --max-turns is left out: claude knows it, but its help does not tell.
    helps=(
        Help(
            ("--help",),
            (
                *("--print", "--bare", "--output-format", "--verbose", "--strict-mcp-config", "--setting-sources"),
                *("--disable-slash-commands", "--permission-mode", "--allowedTools", "--tools", "--model", "--resume"),
            ),
        ),
    ),
)
providers: Sequence[Provider] = ("anthropic",)
says_result = True

# --bare and the settings of the user alone: CLAUDE.md, hooks, .claude/ and .mcp.json of the checkout have no say.
_ALWAYS = ("--bare", "--strict-mcp-config", "--setting-sources", "user", "--disable-slash-commands")
_EVENTS = ("--output-format", "stream-json", "--verbose")
# Bash is allowed, Write and Edit are not: allowed by name they reach outside the worktree, with acceptEdits they do not.
_EDITING = ("--permission-mode", "acceptEdits", "--allowedTools", "Bash")
# What only reads is allowed by claude itself; all else is denied without a question.
_READING = ("--permission-mode", "dontAsk", "--tools", "Bash,Read,Grep,Glob")
_QUIET = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_TELEMETRY": "1",
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_ERROR_REPORTING": "1",
    # Its own default is ten, with growing pauses: minutes of silence after a 401.
    "CLAUDE_CODE_MAX_RETRIES": "3",
}
_LIMITS = {"error_max_turns": "turns", "error_max_budget_usd": "cost_usd"}


def call(order: Order) -> Call | None:
    """The prompt on standard input; a session's later passes resume it, the review begins a new one."""
    brief = order.brief
    begun = program.start(brief, PROGRAM)
    mode = _READING if order.which in {Pass.RESEARCH, Pass.REVIEW} else _EDITING
    flags = ["--print", *_ALWAYS, *_EVENTS, *mode]
    flags += ["--model", brief.agent.model] if brief.agent.model else []
    flags += ["--max-turns", str(brief.limits.turns)] if brief.limits.turns else []
    flags += ["--resume", order.session] if order.session and order.which is not Pass.REVIEW else []
    env = {**_QUIET, "ANTHROPIC_BASE_URL": MODEL_URL, "ANTHROPIC_API_KEY": MODEL_KEY}
    # Without it claude refuses some modes to root, even where root is nobody.
    env |= {} if brief.isolation == "none" else {"IS_SANDBOX": "1"}
    argv = (*begun.argv, *flags, *brief.agent.options)
    return Call(argv, stdin=order.prompt.read_bytes(), binds=begun.binds, env=env)


def probe(brief: Configured) -> Probe:
    return program.probe(brief, PROGRAM)


def read(line: str) -> Iterable[Event]:
    event = parsed(line)
    kind = (event.get("type"), event.get("subtype"))
    if kind == ("system", "init"):
        version = f"{text(event, 'model')}, claude {text(event, 'claude_code_version')}"
        return (Event("started", version, session=text(event, "session_id")),)
    if kind == ("system", "api_retry"):
        return (Event("retry", text(event, "error"), status=number(event, "error_status")),)
    if kind[0] == "assistant":
        return _assistant(inner(event, "message"))
    return _result(event) if kind[0] == "result" else ()


def _assistant(message: Json) -> Iterator[Event]:
    # An API's error is told as a message of a model that is none.
    is_error = text(message, "model") == "<synthetic>"
    for block in objects(message, "content"):
        if block.get("type") == "text" and text(block, "text"):
            yield Event("error", text(block, "text")) if is_error else Event("said", text(block, "text") + "\n")
        if block.get("type") == "tool_use":
            yield Event("tool", deed(text(block, "name"), inner(block, "input")))
    if not is_error:  # every block comes with its whole message's figures, hence the id
        yield Event("turn", text(message, "id"), usage=_usage(inner(message, "usage"), turns=1))


def _usage(data: Json, turns: int) -> Usage:
    cached = number(data, "cache_read_input_tokens")
    taken = number(data, "input_tokens") + number(data, "cache_creation_input_tokens") + cached
    return Usage(turns=turns, input_tokens=taken, cached_tokens=cached, output_tokens=number(data, "output_tokens"))


def _result(event: Json) -> Iterator[Event]:
    for denial in objects(event, "permission_denials"):
        yield Event("denied", deed(text(denial, "tool_name"), inner(denial, "tool_input")))
    subtype = text(event, "subtype")
    # An API's error comes as subtype "success" with is_error true.
    ok = subtype == "success" and event.get("is_error") is False
    errors = event.get("errors")
    told = "; ".join(str(error) for error in errors) if isinstance(errors, list) else ""
    words = text(event, "result") or told or ("" if ok else subtype)
    status = 0 if ok else number(event, "api_error_status")
    yield Event("result", words, text(event, "session_id"), _total(event), ok, status, limit=_LIMITS.get(subtype, ""))


def _total(event: Json) -> Usage:
    """By model, since `usage` leaves out what a stopped turn took."""
    models = [inner(event, "modelUsage", name) for name in inner(event, "modelUsage")]
    cached = sum(number(model, "cacheReadInputTokens") for model in models)
    return Usage(
        turns=number(event, "num_turns"),
        input_tokens=cached + sum(number(model, "inputTokens") + number(model, "cacheCreationInputTokens") for model in models),
        cached_tokens=cached,
        output_tokens=sum(number(model, "outputTokens") for model in models),
        cost_usd=money(event, "total_cost_usd"),
    )

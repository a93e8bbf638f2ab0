"""Starts a pass of the coding agent in the sandbox, listens to what it says, and reads its answer."""

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event
from typing import NamedTuple

import structlog

from runner import instructions, probe, prompt, tampering, verdict, worktree
from runner.agents.heard import Heard, judge
from runner.agents.registry import AGENTS, provider_of
from runner.agents.shape import MODEL_KEY, MODEL_URL, Agent, Call, Order, Pass, Provider
from runner.endings import AttemptEnds
from runner.meter import together
from runner.models.proxy import Proxy, inside_argv, inside_binds, serving
from runner.phase import Work
from runner.programs import python_binds
from runner.room import Room
from shared.errors import FatalError
from shared.messages import PromptRequest
from shared.models import Usage, Verdict, VerdictName
from shared.process import Ended

_ANSWER_LIMIT = 60_000
_log = structlog.get_logger()
# Where any program looks for its model: for agents that are a command line, whose variables nobody but the operator knows.
_USUAL: Mapping[Provider, Mapping[str, str]] = {
    "anthropic": {"ANTHROPIC_BASE_URL": MODEL_URL, "ANTHROPIC_API_KEY": MODEL_KEY},
    "openai": {"OPENAI_BASE_URL": f"{MODEL_URL}/v1", "OPENAI_API_BASE": f"{MODEL_URL}/v1", "OPENAI_API_KEY": MODEL_KEY},
    "gemini": {"GOOGLE_GEMINI_BASE_URL": MODEL_URL, "GEMINI_API_KEY": MODEL_KEY},
}
# Counts what is still there when the agent is not; a moment later bubblewrap ends it, and nobody outside could have seen it.
_COUNT_LEFT = """
left=$1; shift
exec 3>&2 2>/dev/null; "$@" 2>&3 3>&-; code=$?
alive=0
for process in /proc/[0-9]*; do
  read -r state < "$process/stat" || continue
  case "${state##*) }" in Z*|X*) ;; *) alive=$((alive + 1)) ;; esac
done
[ $alive -le 2 ] || echo $((alive - 2)) > "$left"
exit $code
"""
_LEFT = "left-running.txt"


class _Way(NamedTuple):
    """A pass's way to its models."""

    proxy: Proxy
    socket: Path


class Answer(NamedTuple):
    """What the agent has to say, and the last lines that it printed."""

    text: str
    printed: str


def must_work(work: Work) -> bool:
    """Before anything is spent: the agent is there and knows our flags, and its model's key is there; else AttemptEnds.

    Whether this very program was looked at before.
    """
    brief = work.brief
    found = probe.probe_once(brief, work.folder.work_dir, work.stop)
    if found.problem:
        raise AttemptEnds(VerdictName.AGENT_FAILED, f"the agent {brief.agent.name} cannot work here: {found.problem}")
    _provider(work)
    return found.remembered


def told(work: Work) -> PromptRequest:
    """What every prompt of this attempt is made of; hidden text that is left out is told to people."""
    brief = work.brief
    with work.meter.step("issue and instructions read"):
        found = prompt.request_of(brief, work.state.test_command, instructions.read(work.folder.mirror, brief))
        for words in prompt.removed(found):
            work.state.note(words)
    return found


def has_network(work: Work) -> bool:
    """A command for which no model's key is kept reaches its model by itself, if isolation may be weaker; nobody else does."""
    return work.brief.agent.name == "command" and work.brief.isolation != "required" and not work.keys.upstreams


def play(work: Work, which: Pass, write: Callable[[PromptRequest], str]) -> Answer | None:
    """The agent's answer to the prompt that `write` makes, None when it cannot do this pass; raises AttemptEnds when it failed.

    A session that it cannot find again, because its home died with an earlier runner, costs one more start and nothing else.
    """
    agent = AGENTS[work.brief.agent.name]
    request = told(work)
    with work.meter.step(f"prompt built ({which})"):
        call = agent.call(_order(work, which, write(request)))
    if call is None:
        return None
    heard = Heard(before=work.state.session_usage if which is not Pass.REVIEW else Usage())
    with _models(work) as way:
        ended = _run(work, which, agent, call, way, heard)
    proxy = way.proxy if way else None
    _settle(work, which, heard, proxy, ended)
    written = worktree.read_left_file(work.folder.out / "answer.md", _ANSWER_LIMIT).decode(errors="replace")
    _tell(work, which, heard, ended)
    if heard.lost_session and work.state.session and which is not Pass.REVIEW:
        work.state.session, work.state.session_usage = "", Usage()
        return play(work, which, write)
    if bad := _verdict(work, which, agent, heard, proxy, ended):
        raise AttemptEnds.with_verdict(bad)
    return Answer((written or heard.words or ended.tail[-_ANSWER_LIMIT:]).strip(), ended.tail)


def _order(work: Work, which: Pass, text: str) -> Order:
    prompts = work.folder.prompts
    prompts.mkdir(exist_ok=True)
    file = prompts / f"{which}.md"
    file.write_text(text, encoding="utf-8")
    file.chmod(0o644)
    return Order(work.brief, which, file, "" if which is Pass.REVIEW else work.state.session)


@contextmanager
def _models(work: Work) -> Iterator[_Way | None]:
    """None for agents that call none."""
    brief = work.brief
    if _provider(work) is None and not (brief.agent.name == "command" and work.keys.upstreams):
        yield None
        return
    # Short, because a socket's address may be; closed to everybody but us.
    with ExitStack() as until_its_end:
        with work.meter.step("way to the model opened"):
            folder = until_its_end.enter_context(tempfile.TemporaryDirectory(prefix="shoal-"))
            socket = Path(folder, "model.sock")
            proxy = until_its_end.enter_context(serving(socket, work.keys, brief.limits, work.state.usage))
        proxy.moved = work.app.moved
        yield _Way(proxy, socket)


def _provider(work: Work) -> Provider | None:
    """Whose key the agent needs, which is there."""
    try:
        provider = provider_of(work.brief)
        if provider is not None:
            work.keys.need(provider)
    except FatalError as error:
        raise AttemptEnds(VerdictName.AGENT_FAILED, str(error)) from error
    return provider


def _run(work: Work, which: Pass, agent: Agent, call: Call, way: _Way | None, heard: Heard) -> Ended:
    """Ends it soon after its result, and at once when a limit is used up."""
    worktree.empty(work, work.folder.out)
    finished, cut = Event(), Event()
    turns = work.brief.limits.turns
    if way is not None:
        way.proxy.on_limit = lambda _: cut.set()

    words_begun: list[float] = []

    def listen(line: str) -> None:
        if not words_begun:
            words_begun.append(time.monotonic())
        for event in heard.take(agent, line):
            if event.kind == "result":
                finished.set()
        if turns is not None and work.state.usage.turns + heard.usage.turns > turns:
            cut.set()

    argv, room = _argv_and_room(work, which, call, way)
    minutes, quiet = work.brief.settings.agent_minutes, work.brief.limits.inactive_minutes
    _log.info("agent starts", which=which)
    begun = time.monotonic()
    try:
        return work.run(
            argv,
            room,
            log=which,
            minutes=minutes,
            quiet_minutes=quiet,
            stdin=call.stdin,
            on_line=listen,
            finished=finished,
            cut=cut,
        )
    except FileNotFoundError as error:
        raise AttemptEnds(VerdictName.AGENT_FAILED, f"the agent could not be started: {error.filename or argv[0]}") from error
    finally:
        ended = time.monotonic()
        first_word = next(iter(words_begun), ended)
        work.meter.took(f"until the agent's first word ({which})", first_word - begun)
        work.meter.took(f"the agent's work ({which})", ended - first_word)


def _argv_and_room(work: Work, which: Pass, call: Call, way: _Way | None) -> tuple[list[str], Room]:
    env = {"SHOAL_ANSWER": str(work.folder.out / "answer.md"), "SHOAL_PASS": which, **call.env}
    argv, binds = list(call.argv), call.binds
    if way is not None:
        if work.brief.agent.name == "command":
            env |= {name: value for provider in work.keys.upstreams for name, value in _USUAL[provider].items()}
        env |= {"SHOAL_MODEL_KEY": way.proxy.key, "SHOAL_FILES": json.dumps(dict(call.files))}
        python, interpreter = python_binds()
        argv = inside_argv(interpreter, way.socket, argv)
        binds = (*binds, *python, *inside_binds(way.socket))
    if work.sandbox.level == "bubblewrap":
        argv = ["sh", "-c", _COUNT_LEFT, "sh", str(work.folder.out / _LEFT), *argv]
    if which is Pass.REVIEW:
        return argv, worktree.review_room(work, binds=binds, env=env)
    return argv, worktree.agent_room(work, network=has_network(work), binds=binds, env=env)


def _settle(work: Work, which: Pass, heard: Heard, proxy: Proxy | None, ended: Ended) -> None:
    """What it used, by the proxy's count where there is one; and the session that later passes go on with."""
    state = work.state
    used = proxy.usage if proxy is not None and proxy.usage.turns else heard.usage
    work.meter.spent(used)
    state.usage = together(state.usage, used)
    state.agent_seconds += ended.seconds
    if which is not Pass.REVIEW and heard.session:
        state.session, state.session_usage = heard.session, heard.total
    for words in (*heard.notes, *(proxy.notes if proxy else ())):
        state.note(words)


def _tell(work: Work, which: Pass, heard: Heard, ended: Ended) -> None:
    """What it did beyond its task: it had no effect, but people should know their agent."""
    left = ended.strays
    if work.sandbox.level == "bubblewrap":  # whose own processes are all that can be seen from outside
        inside = worktree.read_left_file(work.folder.out / _LEFT, 9).strip()
        left = int(inside) if inside.isdigit() else 0
    if left:
        processes = f"{left} processes" if left != 1 else "a process"
        work.state.note(f"the agent left {processes} running after its {which}: ended with it")
    own = (work.folder.root, Path("/tmp"))  # noqa: S108 compared, not used
    refused = [path for path in dict.fromkeys(heard.refused) if not any(Path(path).is_relative_to(place) for place in own)]
    if refused:
        names = ", ".join(f"`{path[:100].replace('`', chr(39))}`" for path in refused)
        work.state.note(f"the agent was refused files outside its checkout, by its own output: {names}")
    if which is not Pass.REVIEW:
        tampering.tell(work)


def _verdict(work: Work, which: Pass, agent: Agent, heard: Heard, proxy: Proxy | None, ended: Ended) -> Verdict | None:
    """Why it failed: what the proxy saw of the provider is surer than the agent's words for it."""
    who = f"the agent's {which}"
    limit = proxy.limit_hit if proxy else ""
    if not limit and ended.reason == "cut":
        limit = "turns"
    if limit:
        reason = f"{who} used up the attempt's limit `{limit}` of {getattr(work.brief.limits, limit):g}"
        return Verdict(name=VerdictName.LIMIT_REACHED, reason=reason, detail=ended.tail[-8000:], limit=limit)
    bad = (
        judge(heard, ended, agent, who) if agent.says_result or agent.providers else verdict.of_command(ended, who, "agent_minutes")
    )
    if bad is None or proxy is None or bad.name is VerdictName.LIMIT_REACHED:
        return bad
    if proxy.refused_key:
        reason = f"{who} was refused by its model's provider: put a valid key into {work.keys.source} ({proxy.refused_key[:200]})"
        return Verdict(name=VerdictName.AGENT_FAILED, reason=reason, detail=bad.detail)
    if proxy.trouble is not None:
        reason = f"{who} was turned away by its model's provider: {proxy.trouble.words[:200]}"
        seconds = proxy.trouble.retry_seconds
        return Verdict(name=VerdictName.PROVIDER_LIMIT, reason=reason, detail=bad.detail, retry_seconds=seconds)
    return bad

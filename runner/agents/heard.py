"""PURE: what one process of an agent said, and what that means: an exit code alone says nothing about an agent."""

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from runner import verdict
from runner.agents.shape import Agent, Event
from shared.models import Usage, Verdict, VerdictName
from shared.process import Ended

_WORDS_LIMIT = 60_000
# Ended by us although it had nothing more to do: an agent that hangs after its result has done its work.
_HUNG: frozenset[str] = frozenset({"lingered", "inactive", "timeout"})
_ENDED_ITSELF: frozenset[str] = frozenset({"exited", "signalled"})

_STATUS = re.compile(r"(?:status|error|code|repeated|rejected)\W{0,4}(?:code)?\W{0,4}(\d{3})\b", re.IGNORECASE)
_KEY_STATUSES = frozenset({401, 403})
_KEY_WORDS = re.compile(
    r"not logged in|/login|invalid (?:x-)?api.key|incorrect api key|api.key not valid|invalid auth method|unauthorized",
    re.IGNORECASE,
)
_AWAY_STATUSES = frozenset({408, 429, 500, 502, 503, 504, 529})
_AWAY_WORDS = re.compile(
    r"rate.?limit|too many requests|overloaded|at capacity|quota|credit balance|usage limit|RESOURCE_EXHAUSTED|"
    r"unable to connect|connection (?:refused|reset|error)|ECONN\w+|stream disconnected|fetch failed",
    re.IGNORECASE,
)
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_NO_SESSION = re.compile(
    r"no conversation found|no rollout found|no session, task|session[^.\n]{0,60}not found|invalid session|"
    r"no (?:previous )?sessions? found",
    re.IGNORECASE,
)
_RETRY = re.compile(r"(?:retry|try again|reset)\D{0,24}?(\d+(?:\.\d+)?) ?(ms|s|m|h)(?:[a-z]*)\b", re.IGNORECASE)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
# What a shell, Python or node say of a file that the sandbox does not let them write.
_REFUSED = re.compile(
    r"(/[^\s'\":,\\]+)['\"]?: (?:Permission denied|Read-only file system)|"
    r"(?:Permission denied|permission denied|Read-only file system|read-only file system)[:,] (?:\w+ )?\\?['\"]?(/[^\s'\",\\]+)"
)
_REFUSED_SHOWN = 5
# The model proxy's own refusal, in the words of runner/models.
_BUDGET = re.compile(r"shoal: the attempt's (cost|token|turn)s? limit[^\n]*")
_BUDGETS = {"cost": "cost_usd", "token": "tokens", "turn": "turns"}


class _Trouble(NamedTuple):
    """Something that went wrong, in the agent's words."""

    words: str
    status: int = 0
    limit: str = ""


@dataclass
class Heard:
    """Takes the lines of one process; `before` is the `total` of the same session's earlier pass, for agents that add up."""

    before: Usage = field(default_factory=Usage)
    session: str = ""
    version: str = ""
    tools: int = 0
    retries: int = 0
    denials: Counter[str] = field(default_factory=Counter)
    # Files of this machine that it was not let at, by its own output.
    refused: list[str] = field(default_factory=list)
    result: Event | None = None
    # A line that was no event, of an error if there was one: where a program says why it does not even start.
    plain: str = ""
    _message: str = ""
    _is_saying: bool = False
    _turns: dict[str, Usage] = field(default_factory=dict)
    _trouble: _Trouble | None = None

    def take(self, agent: Agent, line: str) -> tuple[Event, ...]:
        """What the line meant, for who else wants to know."""
        events = tuple(agent.read(line))
        if len(self.refused) < _REFUSED_SHOWN and ("ermission denied" in line or "ead-only file system" in line):
            self.refused += [one or other for one, other in _REFUSED.findall(line)]
        if not events and line.strip() and not line.startswith("{"):
            self._hear_plain(_COLOURS.sub("", line).strip()[:300])
        for event in events:
            self._hear(event)
        return events

    @property
    def lost_session(self) -> bool:
        """It could not find the session that it was to go on with: the same pass may be tried in a new one."""
        return bool(_NO_SESSION.search(self.trouble.words if self.trouble else self.plain))

    @property
    def words(self) -> str:
        """Its answer: what its result says, else its last message."""
        said = self.result.text if self.result and self.result.ok else ""
        return (said or self._message).strip()

    @property
    def usage(self) -> Usage:
        """Of this process alone: as its result says, else its turns added up."""
        if self.result is None or self.result.usage is None:
            return _sum(list(self._turns.values()))
        said = self.result.usage
        return _less(said, self.before) if self.result.of_session else said

    @property
    def total(self) -> Usage:
        """Of the session so far, for the next pass's `before`."""
        return _sum([self.before, self.usage])

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know although it is no failure."""
        return tuple(f"the agent was denied: {what}" + (f" ({n} times)" if n > 1 else "") for what, n in self.denials.items())

    def _hear_plain(self, line: str) -> None:
        if "error" in line.lower() or "error" not in self.plain.lower():
            self.plain = line

    def _hear(self, event: Event) -> None:
        if event.kind == "said":
            self._message = ((self._message if self._is_saying else "") + event.text)[-_WORDS_LIMIT:]
        self._is_saying = event.kind in {"said", "turn"} and (self._is_saying or event.kind == "said")
        match event.kind:
            case "started":
                self.session, self.version = event.session or self.session, event.text or self.version
            case "said" | "tool":
                self.tools += event.kind == "tool"
                self._trouble = None
            case "denied":
                self.denials[event.text] += 1
            case "retry" | "error":
                self.retries += event.kind == "retry"
                self._trouble = _Trouble(event.text, event.status)
            case "turn" if event.usage is not None:
                self._turns[event.text or f"turn {len(self._turns)}"] = event.usage
            case "result":
                self.result, self.session = event, event.session or self.session

    @property
    def trouble(self) -> _Trouble | None:
        """The failure that its result tells, else what it last complained of and did not get over."""
        if self.result is not None and not self.result.ok:
            return _Trouble(self.result.text, self.result.status, self.result.limit)
        return None if self.result else self._trouble


def judge(heard: Heard, ended: Ended, agent: Agent, who: str) -> Verdict | None:
    """None when the agent did its part; whether that is worth anything the diff decides. `who`: "the agent's research"."""
    result = heard.result
    if ended.ok or (result is not None and ended.reason in _HUNG):
        if (result is not None and result.ok) or (result is None and heard.trouble is None):
            return _of_good_end(heard, ended, agent, who)
    elif (
        ended.reason not in _ENDED_ITSELF | _HUNG
        or verdict.is_full_disk(ended.tail)
        or (result is None and verdict.killed_by(ended))
    ):
        return verdict.of_command(ended, who, "agent_minutes")
    if (trouble := heard.trouble) and (ended.reason in _ENDED_ITSELF or result or _is_away(trouble)):
        return _of_trouble(trouble, ended, agent, who)
    return _of_exit(heard, ended, agent, who)


def _of_good_end(heard: Heard, ended: Ended, agent: Agent, who: str) -> Verdict | None:
    if agent.says_result and heard.result is None:
        reason = f"{who} ended with exit code 0 but without a result: it was interrupted, or this version of it speaks differently"
        return _verdict(VerdictName.AGENT_FAILED, _with(reason, heard.plain), ended)
    if agent.providers and not heard.tools and not heard.words:
        reason = f"{who} ended with exit code 0 without doing anything: it neither used a tool nor said a word"
        return _verdict(VerdictName.AGENT_FAILED, _with(reason, heard.plain), ended)
    return None


def _of_trouble(trouble: _Trouble, ended: Ended, agent: Agent, who: str) -> Verdict:
    words = " ".join(trouble.words.split())[:300] or "it did not say why"
    if budget := _BUDGET.search(trouble.words):
        found = _verdict(VerdictName.LIMIT_REACHED, f"{who}: {budget[0].removeprefix('shoal: ')[:300]}", ended)
        return found.model_copy(update={"limit": _BUDGETS[budget[1]]})
    if trouble.limit:
        what = {"turns": "its limit of turns", "cost_usd": "its own budget"}.get(trouble.limit, trouble.limit)
        found = _verdict(VerdictName.LIMIT_REACHED, f"{who} reached {what}", ended)
        return found.model_copy(update={"limit": trouble.limit})
    status = _status(trouble)
    if status in _KEY_STATUSES or _KEY_WORDS.search(trouble.words):
        keys = " or ".join(agent.providers) or "its provider"
        fix = f"put a valid key of {keys} where the runner's model keys are"
        return _verdict(VerdictName.AGENT_FAILED, f"{who} was refused by its model's provider: {fix} ({words})", ended)
    if _is_away(trouble):
        found = _verdict(VerdictName.PROVIDER_LIMIT, f"{who} was turned away by its model's provider: {words}", ended)
        return found.model_copy(update={"retry_seconds": _retry_seconds(trouble.words)})
    return _verdict(VerdictName.AGENT_FAILED, f"{who} failed: {words}", ended)


def _of_exit(heard: Heard, ended: Ended, agent: Agent, who: str) -> Verdict | None:
    """It ended badly and no event tells why: its last plain line often does."""
    found = verdict.of_command(ended, who, "agent_minutes")
    if found is None or ended.reason != "exited":
        return found
    if agent.providers and _KEY_WORDS.search(heard.plain):
        return _of_trouble(_Trouble(heard.plain), ended, agent, who)
    return found.model_copy(update={"reason": _with(found.reason, heard.plain)})


def _is_away(trouble: _Trouble) -> bool:
    """It is the provider that cannot serve now, not the agent that failed."""
    return _status(trouble) in _AWAY_STATUSES or bool(_AWAY_WORDS.search(trouble.words))


def _status(trouble: _Trouble) -> int:
    found = _STATUS.search(trouble.words)
    return trouble.status or (int(found[1]) if found else 0)


def _retry_seconds(words: str) -> float | None:
    found = _RETRY.search(words)
    return float(found[1]) * _SECONDS[found[2].lower()] if found else None


def _with(reason: str, plain: str) -> str:
    return f"{reason}: {plain}" if plain else reason


def _verdict(name: VerdictName, reason: str, ended: Ended) -> Verdict:
    return Verdict(name=name, reason=reason, detail=ended.tail[-8000:])


def _sum(parts: list[Usage]) -> Usage:
    costs = [part.cost_usd for part in parts if part.cost_usd is not None]
    return Usage(
        turns=sum(part.turns for part in parts),
        input_tokens=sum(part.input_tokens for part in parts),
        cached_tokens=sum(part.cached_tokens for part in parts),
        output_tokens=sum(part.output_tokens for part in parts),
        cost_usd=sum(costs) if costs else None,
    )


def _less(whole: Usage, earlier: Usage) -> Usage:
    return Usage(
        turns=max(0, whole.turns - earlier.turns),
        input_tokens=max(0, whole.input_tokens - earlier.input_tokens),
        cached_tokens=max(0, whole.cached_tokens - earlier.cached_tokens),
        output_tokens=max(0, whole.output_tokens - earlier.output_tokens),
        cost_usd=whole.cost_usd,
    )

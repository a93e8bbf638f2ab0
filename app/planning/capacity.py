"""How much may run at once: pressure on the machine halves it, calm lets it grow by one, and what binds has a name and words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from app.planning.room import ROUNDING

SLOTS = "slots"
PRESSURE = "pressure"
MEMORY = "memory"
CPU = "cpu"
RUNNERS = "runners"
SHARE = "share"
API = "api"
RESERVED = "reserved"
BUDGET = "budget"
# In the order in which the one that is short is named; the names are for people.
LIMIT_NAMES = {
    SLOTS: "a free slot",
    PRESSURE: "less pressure on the machine",
    SHARE: "other repositories' turn",
    RUNNERS: "an idle runner",
    API: "GitHub's limits",
    MEMORY: "memory",
    CPU: "CPU time",
    RESERVED: "a task that has waited too long",
    BUDGET: "money",
}

# The machine must have been calm for so long before one more task may run.
CALM = timedelta(seconds=30)
# What a halving does shows only after a while: the pressure is a mean over the last minute.
SETTLES = timedelta(seconds=60)


class Marks(NamedTuple):
    """From `high` on there is pressure, up to `low` there is calm, between the two everything stays as it is."""

    high: float
    low: float


# Load is the mean of the last minute per core. The others are per cent of time, as Linux tells them (PSI): `cpu` somebody waited
# for a core (last minute: a burst of starts is no pressure), `memory` and `io` everybody was stalled (last ten seconds).
MARKS: Mapping[str, Marks] = {
    "load": Marks(3, 1.5),
    "cpu": Marks(80, 40),
    "memory": Marks(10, 2),
    "io": Marks(40, 10),
}
_WORDS: Mapping[str, str] = {
    "load": "load {0:.1f} per core",
    "cpu": "{0:.0f} % of the time something waited for a core",
    "memory": "{0:.0f} % of the time everything waited for memory",
    "io": "{0:.0f} % of the time everything waited for the disk",
}


@dataclass(frozen=True, slots=True)
class Machine:
    """What a machine that runs WorkflowManagers has: memory beyond the reserve, free now and at most (MiB), and cores."""

    free_memory_mib: float = inf
    memory_mib: float = inf
    cores: float = inf


NO_LIMIT = Machine()


@dataclass(frozen=True, slots=True)
class Sample:
    """How hard a machine is pressed, by the names of `MARKS`; what a system does not tell is not there."""

    values: Mapping[str, float]


class Throttle(BaseModel):
    """How many tasks the pressure on a machine allows at once; kept in the database, so that a restart forgets nothing."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    allowed: int
    calm_since: datetime | None = None
    shrunk_at: datetime | None = None
    # What pressed when it was halved last, as long as less is allowed than is configured.
    because: str = ""


def react(before: Throttle | None, sample: Sample, now: datetime, most: int, marks: Mapping[str, Marks] = MARKS) -> Throttle:
    """Additive increase, multiplicative decrease: between 1 and `most`, which is what is configured."""
    known = before or Throttle(allowed=most)
    allowed = min(max(1, known.allowed), most)
    because = known.because if allowed < most else ""
    held = known.model_copy(update={"allowed": allowed, "because": because, "calm_since": None})
    if pressing := _pressing(sample, marks):
        settling = known.shrunk_at is not None and timedelta(0) <= now - known.shrunk_at < SETTLES
        if settling or allowed == 1:
            return held
        return Throttle(allowed=allowed // 2, shrunk_at=now, because=pressing)
    if allowed == most or not _is_calm(sample, marks):
        return held
    since = known.calm_since if known.calm_since is not None and known.calm_since <= now else now
    if now - since < CALM:
        return held.model_copy(update={"calm_since": since})
    more = allowed + 1
    return held.model_copy(update={"allowed": more, "calm_since": now, "because": because if more < most else ""})


def _pressing(sample: Sample, marks: Mapping[str, Marks]) -> str:
    """What is furthest beyond its high mark, in words; empty when nothing is."""
    beyond = {name: value / marks[name].high for name, value in sample.values.items() if name in marks}
    worst = max(beyond, key=lambda name: (beyond[name], name), default="")
    return _WORDS[worst].format(sample.values[worst]) if worst and beyond[worst] >= 1 else ""


def _is_calm(sample: Sample, marks: Mapping[str, Marks]) -> bool:
    return all(value <= marks[name].low for name, value in sample.values.items() if name in marks)


def lacking(needs: Mapping[str, float], left: Mapping[str, float]) -> str:
    """The first resource, in the order of `left`, of which there is not enough; empty when there is."""
    return next((name for name, free in left.items() if 0 < needs.get(name, 0.0) > free + ROUNDING), "")


def gigabytes(mib: float) -> str:
    """Such as `2.1 GB`."""
    return f"{max(0.0, mib) / 1024:.1f} GB"

"""Whether the operator's agent can do what Shoal asks of it; asked once per program file, since a CLI's help takes its time.

Every attempt asks before anything is spent, and so does `shoal doctor`: a program that drifted is one clear error.
"""

import hashlib
import json
import os
import threading
from pathlib import Path

from runner.agents.program import find
from runner.agents.registry import AGENTS, PROGRAMS
from runner.agents.shape import Configured, Probe
from runner.mirror import locked


def probe(configured: Configured, work_dir: Path | None = None) -> Probe:
    """From the notes below `work_dir` when this very program was found well before; a problem is looked at again each time."""
    note = _note(configured, work_dir) if work_dir else None
    if note and (known := _read(note)):
        return known
    found = AGENTS[configured.agent.name].probe(configured)
    if note and not found.problem:
        _write(note, found)
    return found


def probe_once(configured: Configured, work_dir: Path, stop: threading.Event) -> Probe:
    """`probe`, whoever of the tasks that start together comes first; the others wait for its note. A stop becomes Interrupted."""
    with locked(work_dir / "probes" / f"{configured.agent.name}.lock", stop):
        return probe(configured, work_dir)


def as_json(configured: Configured, work_dir: Path | None = None) -> str:
    """One line for who may not import the runner: `shoal doctor`."""
    found = probe(configured, work_dir)
    return json.dumps({"agent": configured.agent.name, "version": found.version, "problem": found.problem})


def _note(configured: Configured, work_dir: Path) -> Path | None:
    """Named after the program file as it is now and after what we ask of it: another version of either has another note."""
    agent = configured.agent
    wanted = PROGRAMS.get(agent.name)
    place = find(agent.command or (wanted.name,)) if wanted else None
    if place is None:
        return None
    state = place.stat()
    key = repr((agent.name, agent.command, wanted, str(place.resolve()), state.st_mtime_ns, state.st_size))
    return work_dir / "probes" / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"


def _read(note: Path) -> Probe | None:
    try:
        version = json.loads(note.read_text(encoding="utf-8"))["version"]
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return Probe(str(version), remembered=True)


def _write(note: Path, found: Probe) -> None:
    note.parent.mkdir(parents=True, exist_ok=True)
    fresh = note.with_suffix(f".{os.getpid()}")
    fresh.write_text(json.dumps({"version": found.version}), encoding="utf-8")
    fresh.replace(note)

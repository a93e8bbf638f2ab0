"""`shoal doctor`: tries what the app will need, for real, and names a fix for everything that is not there."""

import asyncio
import json
import os
import platform
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import httpx
import psutil
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from dotenv import dotenv_values
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from app.brief import agent_settings
from app.commands import runner
from app.commands.console import print_json, print_line
from app.commands.finding import Finding, warn
from app.held_work import HeldFolder
from app.settings import Settings, load, strangers
from shared import process
from shared.errors import FatalError, UserError
from shared.git import check_git

_FREE_MIB = 1024


def run(*, as_json: bool) -> int:
    """Prints all findings; 1 when something needs a person."""
    findings = list(examine())
    if as_json:
        document = {"ok": all(found.ok for found in findings), "findings": [asdict(found) for found in findings]}
        print_json(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        for found in findings:
            print_line(f"{found.word} {found.name}: {found.detail}" + (f"; {found.fix}" if found.fix else ""))
    return 0 if all(found.ok for found in findings) else 1


def examine() -> Iterator[Finding]:
    """What the machine has, then, when the settings can be read, what they name."""
    yield Finding("python", True, platform.python_version())
    yield _git()
    settings = None
    try:
        settings = load()
    except UserError as error:
        for line in str(error).splitlines():
            what, _, fix = line.partition(": ")
            yield Finding("settings", False, what, fix)
    for line in strangers([*os.environ, *dotenv_values(".env")]):
        yield Finding("settings", False, line, "correct the name, or remove it")
    if settings is not None and settings.backend == "actions":
        yield Finding("bubblewrap", True, "the runners need it, not this machine")
    else:
        yield _bubblewrap(settings.isolation if settings else "required")
    if settings is not None:
        for check in _CHECKS:
            yield check(settings)
        yield from asyncio.run(_github(settings))


def _git() -> Finding:
    try:
        return Finding("git", True, check_git())
    except FatalError as error:
        return Finding("git", False, str(error), "install git 2.38 or newer")


def _bubblewrap(isolation: str) -> Finding:
    name = "bubblewrap"
    if isolation == "none":
        return Finding(name, True, "not asked for: SHOAL_ISOLATION=none")
    argv = ["bwrap", "--unshare-all", "--unshare-user", "--die-with-parent", "--cap-drop", "ALL", "--ro-bind", "/", "/"]
    argv += ["--proc", "/proc", "--dev", "/dev", "true"]
    try:
        ended = process.run(argv, cwd=Path("/"), env=process.environment(), limits=process.Limits(seconds=20))
    except OSError:
        return Finding(name, False, "it is not installed", "install the package `bubblewrap`, or set SHOAL_ISOLATION=none")
    if not ended.ok:
        fix = "allow unprivileged user namespaces on this machine, or set SHOAL_ISOLATION=none"
        return Finding(name, False, f"it does not work here: {ended.tail.strip()[-200:]}", fix)
    return Finding(name, True, "works")


def _disk(settings: Settings) -> Finding:
    folder = _existing(settings.work_dir)
    free = shutil.disk_usage(folder).free // 2**20
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        return Finding("work folder", False, f"{folder} cannot be written", "let this user write there, or set SHOAL_WORK_DIR")
    if free < _FREE_MIB:
        return Finding("work folder", False, f"{free} MiB free in {folder}", f"free {_FREE_MIB} MiB, or set SHOAL_WORK_DIR")
    return Finding("work folder", True, f"{free} MiB free in {folder}")


def _database(settings: Settings) -> Finding:
    url = make_url(settings.database_url)
    shown, fix = url.render_as_string(hide_password=True), "check SHOAL_DATABASE_URL and that this user may write there"
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        folder = _existing(Path(url.database or "."))
        writable = folder.is_dir() and os.access(folder, os.W_OK)
        detail = f"{shown} will be made at the first start" if writable else f"{folder} cannot be written"
        return Finding("database", writable, detail, "" if writable else fix)
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            # SQLite's lock for writers is taken and given back; Postgres only has to answer.
            connection.execute(text("BEGIN IMMEDIATE" if url.get_backend_name() == "sqlite" else "SELECT 1"))
    except (SQLAlchemyError, ImportError) as error:
        return Finding("database", False, f"{shown}: {str(getattr(error, 'orig', None) or error)[:200]}", fix)
    finally:
        engine.dispose()
    return Finding("database", True, shown)


def _port(settings: Settings) -> Finding:
    from app.web.server import listen

    where = f"{settings.host}:{settings.port}"
    try:
        listen(settings.host, settings.port).close()
    except FatalError as error:
        with suppress(httpx.HTTPError):
            if httpx.get(f"{settings.runner_url}/healthz", timeout=2, trust_env=False).json() == {"status": "ok"}:
                return Finding("port", True, f"{where}: this app is running there")
        what, _, fix = str(error).partition(": ")
        return Finding("port", False, what, fix)
    return Finding("port", True, f"{where} is free")


def _key(settings: Settings) -> Finding:
    fix = "download a new private key on the App's settings page and name the file in SHOAL_PRIVATE_KEY_PATH"
    try:
        load_pem_private_key(settings.key().encode(), None)
    except UserError as error:
        return Finding("private key", False, str(error), fix)
    except (ValueError, TypeError):
        return Finding("private key", False, "it is not an unencrypted private key in PEM", fix)
    path = settings.private_key_path
    if settings.private_key is None and path is not None and path.stat().st_mode & 0o077:
        return warn("private key", f"{path} can be read by other users of this machine", f"chmod 600 {path}")
    return Finding("private key", True, "readable")


def _agent(settings: Settings) -> Finding:
    if settings.backend == "actions":
        return Finding("agent", True, f"{settings.agent}, on the runners")
    if settings.agent == "patch":
        found = Path(settings.agent_folder).is_dir()
        fix = "" if found else "set SHOAL_AGENT_FOLDER to the folder with the prepared patches"
        return Finding("agent", found, f"patch, from {settings.agent_folder}", fix)
    asked = {"agent": agent_settings(settings).model_dump(mode="json"), "work_dir": str(settings.work_dir.absolute())}
    try:
        answer = json.loads(runner.ask("probe", json.dumps(asked)))
    except UserError as error:
        return Finding("agent", False, str(error), "check that this installation is whole: `make setup`")
    what, _, fix = str(answer["problem"]).partition(": ")
    if what:
        return Finding("agent", False, what, fix or f"install `{settings.agent_program}`, or name it in SHOAL_AGENT_COMMAND")
    return Finding("agent", True, f"{settings.agent} {answer['version']}".strip())


def _rescues(settings: Settings) -> Finding:
    """Work that is nowhere else waits for a person, and is never removed by age."""
    asked = json.dumps({"work_dir": str(settings.work_dir.absolute())})
    try:
        found = json.loads(runner.ask("rescues", asked))
    except UserError as error:
        return Finding("rescued work", False, str(error), "check that this installation is whole: `make setup`")
    if not found:
        return Finding("rescued work", True, "none")
    lines = [f"{one['repository']} {one['branch']} ({one['when'][:16]}): {one['restore']}" for one in found[:20]]
    return Finding("rescued work", True, f"{len(found)} kept until somebody fetches or removes them\n" + "\n".join(lines))


def _held(settings: Settings) -> Finding:
    """Work that waits to be published lies here and nowhere else, until a person decides or its time is over."""
    folder, name = HeldFolder(settings.held_dir), "held work"
    try:
        found, problem = folder.listing(), folder.problem()
    except OSError as error:
        return Finding(name, False, f"{folder.path} cannot be read: {error.strerror}", "give it to the user that runs the app")
    if problem:
        return Finding(name, False, f"{folder.path} can be read by other users of this machine", problem)
    if not found:
        return Finding(name, True, "none")
    size = sum(one.bytes for one in found) / 2**20
    return Finding(
        name, True, f"{len(found)} waiting to be published, {size:.1f} MiB, the oldest since {found[0].since:%Y-%m-%d %H:%M} UTC"
    )


def _memory(settings: Settings) -> Finding:
    room = psutil.virtual_memory().available // 2**20 - settings.memory_reserve_mib
    enough = room >= settings.task_memory_mib
    fix = "" if enough else "free memory, or lower SHOAL_TASK_MEMORY_MIB or SHOAL_MEMORY_RESERVE_MIB: no task would start"
    return Finding("memory", enough, f"{max(0, room)} MiB for tasks, one is expected to need {settings.task_memory_mib}", fix)


_CHECKS: tuple[Callable[[Settings], Finding], ...] = (_disk, _database, _port, _key, _agent, _memory, _rescues, _held)


async def _github(settings: Settings) -> list[Finding]:
    from app.commands.doctor_github import examine as examine_github

    return [found async for found in examine_github(settings)]


def _existing(path: Path) -> Path:
    """The nearest that is there: where the rest would be made."""
    return next(place for place in (path.absolute(), *path.absolute().parents) if place.exists())

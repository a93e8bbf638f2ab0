"""What a program outside /usr needs of this machine: itself, its package and its interpreter, and nothing beside them."""

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from runner.room import Bind
from shared.process import environment

# What every sandbox has.
_SYSTEM = tuple(map(Path, ("/usr", "/bin", "/sbin", "/lib", "/lib64")))
_PROGRAMS = tuple(map(Path, ("/usr/bin", "/usr/local/bin", "/bin")))


def program_binds(argv: Sequence[str]) -> tuple[Bind, ...]:
    """For a configured command: its program, and the files that its arguments name."""
    program = _find(argv[0]) if argv else None
    named = [Path(part) for part in argv[1:] if part.startswith("/") and Path(part).is_file()]
    found = [*(_binds_of(program) if program else ()), *(bind for file in named for bind in _binds_of(file))]
    return tuple(dict.fromkeys(found))


def python_binds() -> tuple[tuple[Bind, ...], str]:
    """The Python that runs us, without our venv: what to bind, and its path inside."""
    base = Path(sys.base_prefix).resolve()
    python = base / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    if not python.exists():
        python = Path(sys.executable).resolve()
    return (() if _is_system(base) else (Bind(base),)), str(python)


def toolchain(tools: Sequence[Path] = (), system: Sequence[Path] = _PROGRAMS) -> tuple[int, ...]:
    """Changes when a program is installed, upgraded or removed: package managers put a new file into its folder."""
    folders = (*system, *(tool / "bin" for tool in tools))
    return tuple(folder.stat().st_mtime_ns if folder.is_dir() else 0 for folder in folders)


def _find(program: str) -> Path | None:
    place = shutil.which(program, path=environment()["PATH"])
    return Path(place).absolute() if place else None


def _binds_of(file: Path) -> Iterator[Bind]:
    """`file` works inside under its own name, whatever links lead to it."""
    real = file.resolve()
    folders = [folder for folder in _folders_of(file, real) if not _is_system(folder)]
    path = file.parent if os.access(file, os.X_OK) and not _is_system(file) else None
    for folder in folders:
        yield Bind(folder, path=path)
    if not _is_within(real, (*_SYSTEM, *folders)):
        yield Bind(real, path=path)
    link = next((hop for hop in _links(file) if not _is_system(hop)), None)
    if link and not _is_within(link, folders):
        yield Bind(real, target=link, link=True, path=path)
    if (interpreter := _interpreter(real)) and not _is_within(interpreter, folders):
        yield from _binds_of(interpreter)


def _folders_of(file: Path, real: Path) -> Iterator[Path]:
    """What must come as a whole: the outermost node_modules, a venv with the Python below it, a Python's prefix."""
    if "node_modules" in real.parts:
        yield Path(*real.parts[: real.parts.index("node_modules") + 1])
        return
    venv = file.parent.parent if (file.parent.parent / "pyvenv.cfg").is_file() else real.parent.parent
    if (venv / "pyvenv.cfg").is_file() and venv.resolve() != Path(sys.prefix).resolve():
        yield venv
        yield _base_of(venv)
    elif (real.parent.parent / "lib" / real.name).is_dir() and real.name.startswith("python"):
        yield real.parent.parent


def _base_of(venv: Path) -> Path:
    """The prefix of the Python that a venv was made from."""
    return (venv / "bin" / "python").resolve().parent.parent


def _is_system(path: Path) -> bool:
    return _is_within(path, _SYSTEM)


def _is_within(path: Path, folders: Sequence[Path]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)


def _links(file: Path) -> Iterator[Path]:
    """Each name on the way to the real file."""
    for _ in range(40):
        if not file.is_symlink():
            return
        yield file
        file = Path(os.path.normpath(file.parent / file.readlink()))


def _interpreter(script: Path) -> Path | None:
    """Of its `#!` line; `env` is asked what it would find."""
    with script.open("rb") as file:
        line = file.readline(512)
    if not line.startswith(b"#!"):
        return None
    words = [word for word in line[2:].decode(errors="replace").split() if not word.startswith("-") and "=" not in word]
    if words and Path(words[0]).name == "env":
        words = words[1:]
    return _find(words[0]) if words else None

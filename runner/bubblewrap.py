"""Bubblewrap's command line, and why it cannot run on this machine."""

import os
from collections.abc import Sequence
from pathlib import Path

from runner.room import Bind, Room

_SYSTEM_FOLDERS = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
# Without these, Debian's alternatives, the dynamic loader or TLS do not work; none holds anything of ours.
_SYSTEM_FILES = ("/etc/alternatives", "/etc/ld.so.cache", "/etc/ssl", "/etc/localtime", "/etc/mime.types")
_NETWORK_FILES = ("/etc/resolv.conf", "/etc/hosts")
_TMP_BYTES = 2 * 1024**3
_SHM_BYTES = 256 * 1024**2
_RUN_BYTES = 16 * 1024**2
_SYS_ADMIN = 21

# Who the user inside is, by pipes that bubblewrap reads: node and Python ask for it, and no file of ours need exist.
_NAMES = """
passwd=$1 group=$2 switch=$3; shift 3
exec 7<<P 8<<G 9<<S
$passwd
P
$group
G
$switch
S
exec "$@"
"""
_SWITCH = "passwd: files\ngroup: files\nshadow: files\nhosts: files dns"


def command(binds: Sequence[Bind], sources: Sequence[str], room: Room, user: int, group: int) -> list[str]:
    """All before the program; the source of each bind is where it can be reached by whoever starts bubblewrap."""
    passwd = f"agent:x:{user}:{group}:agent:{room.home}:/bin/sh"
    names = ["sh", "-ec", _NAMES, "names", passwd, f"agent:x:{group}:", _SWITCH]
    profile = [*names, "bwrap", "--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent", "--new-session"]
    profile += ["--cap-drop", "ALL", *(["--share-net"] if room.network else [])]
    profile += ["--ro-bind", "/usr", "/usr"]
    for folder in map(Path, _SYSTEM_FOLDERS):
        if folder.is_symlink():
            profile += ["--symlink", str(folder.readlink()), str(folder)]
        elif folder.is_dir():
            profile += ["--ro-bind", str(folder), str(folder)]
    for name in (*_SYSTEM_FILES, *(_NETWORK_FILES if room.network else ())):
        profile += ["--ro-bind-try", name, name]
    for handle, name in (("7", "/etc/passwd"), ("8", "/etc/group"), ("9", "/etc/nsswitch.conf")):
        profile += ["--ro-bind-data", handle, name]
    # Every place in memory has its size: what is written there counts for no process.
    profile += ["--proc", "/proc", "--dev", "/dev"]
    for size, place in ((_SHM_BYTES, "/dev/shm"), (_RUN_BYTES, "/run"), (_TMP_BYTES, "/tmp")):  # noqa: S108
        profile += ["--size", str(size), "--tmpfs", place]
    for bind, source in zip(binds, sources, strict=True):
        kind = "--symlink" if bind.link else "--bind" if bind.writable else "--ro-bind"
        profile += [kind, source, str(bind.place)]
    return [*profile, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", str(room.cwd)]


def why_it_fails(words: str, proc: Path = Path("/proc")) -> str:
    """The cause and its cure in one line, else what bubblewrap said itself."""
    sysctl = proc / "sys"
    if _read(sysctl / "kernel/apparmor_restrict_unprivileged_userns") == "1":
        return "AppArmor refuses user namespaces: sysctl kernel.apparmor_restrict_unprivileged_userns=0, or a profile for bwrap"
    if _read(sysctl / "kernel/unprivileged_userns_clone") == "0":
        return "user namespaces are switched off: sysctl kernel.unprivileged_userns_clone=1"
    if _read(sysctl / "user/max_user_namespaces") == "0":
        return "user namespaces are switched off: sysctl user.max_user_namespaces=15000"
    status = dict(line.split(":\t", 1) for line in _read(proc / "self/status").splitlines() if ":\t" in line)
    is_root = os.geteuid() == 0
    may_mount = int(status.get("CapEff", "ffffffff").strip(), 16) >> _SYS_ADMIN & 1
    is_filtered = status.get("Seccomp", "0").strip() != "0"
    if not may_mount and (is_root or is_filtered):
        return "this container has no CAP_SYS_ADMIN: start it with --cap-add SYS_ADMIN, no seccomp and no AppArmor profile"
    return f"bubblewrap does not work here: {words}"


def _read(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""

"""A control group of its own finds every process of a command; skipped where this machine lets us make none."""

import subprocess
from pathlib import Path

import pytest

from shared.cgroup import own_group
from shared.process import environment, run, started_at


def _may_make_groups() -> bool:
    with own_group(None) as group:
        return group is not None


pytestmark = pytest.mark.skipif(not _may_make_groups(), reason="no control group (v2) of this machine can be written by us")


def test_who_cannot_be_found_otherwise_is_ended(tmp_path: Path) -> None:
    """It left its session and its parents, ignores TERM, and cleared the environment that names its command."""
    hide = "trap '' TERM; env -i setsid sh -c '(trap \"\" TERM; echo $$ > hidden; sleep 300) & exit' & sleep 0.3"
    ended = run(["sh", "-c", hide], cwd=tmp_path, env=environment())
    assert ended.ok
    hidden = int((tmp_path / "hidden").read_text())
    assert started_at(hidden) is None


def test_a_group_ends_with_its_command(tmp_path: Path) -> None:
    """With all that is in it; nothing is left in /sys/fs/cgroup."""
    with own_group(64) as group:
        assert group is not None
        inside = subprocess.run(group.entering(["cat", "/proc/self/cgroup"]), capture_output=True, text=True, check=True)
        assert group.folder.name in inside.stdout
        assert not group.ran_out_of_memory
        left = subprocess.Popen(group.entering(["sleep", "300"]))
    assert left.wait() == -9
    assert not group.folder.exists()

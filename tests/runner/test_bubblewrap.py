"""Why bubblewrap cannot run is said in one line, with the cure."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from runner.bubblewrap import why_it_fails


@pytest.mark.parametrize(
    ("file", "text", "cure"),
    [
        ("sys/kernel/apparmor_restrict_unprivileged_userns", "1\n", "kernel.apparmor_restrict_unprivileged_userns=0"),
        ("sys/kernel/unprivileged_userns_clone", "0\n", "kernel.unprivileged_userns_clone=1"),
        ("sys/user/max_user_namespaces", "0\n", "user.max_user_namespaces="),
        ("self/status", "Name:\tx\nCapEff:\t00000000a80425fb\nSeccomp:\t2\n", "--cap-add SYS_ADMIN"),
    ],
)
def test_each_refusal_of_a_kernel_has_its_cure(tmp_path: Path, file: str, text: str, cure: str) -> None:
    """As the kernel of such a machine says it in /proc."""
    place = tmp_path / file
    place.parent.mkdir(parents=True)
    place.write_text(text)
    assert cure in why_it_fails("bwrap: No permissions to create new namespace", tmp_path)


def test_what_nobody_knows_is_shown_in_bubblewraps_own_words(tmp_path: Path) -> None:
    """Better than a guess."""
    assert why_it_fails("bwrap: no room", tmp_path / "empty") == "bubblewrap does not work here: bwrap: no room"


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("bwrap"), reason="needs root, to give rights up, and bubblewrap")
def test_a_container_without_the_right_to_mount_is_told_so(tmp_path: Path) -> None:
    """Really without it, as a container's root is."""
    ask = (
        "import sys; from pathlib import Path; from runner.sandbox import choose\n"
        "sandbox = choose('preferred', 'key', Path(sys.argv[1])); print(sandbox.level, sandbox.why)"
    )
    without = ["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin", sys.executable, "-c", ask, str(tmp_path)]
    seen = subprocess.run(without, capture_output=True, text=True, check=True)
    assert seen.stdout.startswith("process this container has no CAP_SYS_ADMIN: start it with --cap-add SYS_ADMIN")

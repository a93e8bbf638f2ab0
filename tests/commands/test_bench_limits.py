"""`shoal bench limits`: what may be counted of it stays within what was promised."""

import pytest

from tests.commands.shoal import shoal


@pytest.mark.slow
def test_a_flood_stays_small_and_a_stopped_tree_leaves_nobody() -> None:
    """300 MB of output in at most 100 MiB, no survivor at any level of isolation; every figure was measured."""
    found = shoal("bench", "limits", "--json").document["limits"]
    assert found["flood"]["output_mb"] >= 300
    assert 0 < found["flood"]["before_mib"] <= found["flood"]["peak_mib"] <= 100
    survivors = {name: value for name, value in found["stop"].items() if name.endswith("_survivors")}
    assert survivors
    assert set(survivors.values()) == {0}
    assert min(found["spawn"]["bare_ms"], found["spawn"]["ours_ms"], found["monitor"]["steady_percent"]) > 0

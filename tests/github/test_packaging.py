"""Stories about what is installed next to our client."""

from importlib.metadata import requires, version


def test_hishel_stays_below_two() -> None:
    """githubkit 0.16.1 allows hishel 2.0.0, with which it fails on import: our own requirement must say no."""
    ours = [requirement for requirement in requires("shoal") or [] if requirement.startswith("hishel")]
    assert ours
    assert "<2" in ours[0]
    assert int(version("hishel").split(".")[0]) < 2

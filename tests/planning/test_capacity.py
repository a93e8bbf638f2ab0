"""What runs at once on a pressed machine: halved under pressure, one more after a calm spell, held between."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.planning.capacity import CALM, SETTLES, Machine, Sample, Throttle, gigabytes, lacking, react
from tests.support.protocol import NOW

CALM_DAY = Sample({"load": 0.2, "cpu": 3.0, "memory": 0.0, "io": 0.0})
BUSY = Sample({"load": 2.0, "cpu": 60.0, "memory": 5.0, "io": 20.0})
PRESSED = Sample({"load": 4.5, "cpu": 97.0, "memory": 0.0, "io": 0.0})


def after(throttle: Throttle | None, *samples: tuple[float, Sample], most: int = 8) -> Throttle:
    """What follows from samples at these seconds."""
    for seconds, sample in samples:
        throttle = react(throttle, sample, NOW + timedelta(seconds=seconds), most)
    assert throttle is not None
    return throttle


def test_pressure_halves_and_says_what_pressed() -> None:
    """Not again before the first halving could show; down to one, never to none."""
    first = after(None, (0, PRESSED))
    assert (first.allowed, first.because) == (4, "load 4.5 per core")
    assert after(first, (5, PRESSED), (30, PRESSED)).allowed == 4
    assert after(first, (60, PRESSED)).allowed == 2
    assert after(first, *((60.0 * minute, PRESSED) for minute in range(1, 20))).allowed == 1


def test_each_pressure_counts_alone() -> None:
    """Cores, memory, disk: whichever is beyond its mark is named; a kernel that tells only the load is heard too."""
    assert after(None, (0, Sample({"load": 0, "cpu": 85}))).because == "85 % of the time something waited for a core"
    assert after(None, (0, Sample({"load": 0, "memory": 12}))).because == "12 % of the time everything waited for memory"
    assert after(None, (0, Sample({"load": 0, "io": 80}))).because == "80 % of the time everything waited for the disk"
    assert after(None, (0, Sample({"load": 3}))).allowed == 4


def test_calm_lets_it_grow_by_one_and_anything_else_breaks_the_spell() -> None:
    """Half a minute each; between the two marks it is held, and the reason goes once all is allowed again."""
    pressed = after(None, (0, PRESSED))
    assert after(pressed, (60, CALM_DAY), (89, CALM_DAY)).allowed == 4
    assert after(pressed, (60, CALM_DAY), (90, CALM_DAY)).allowed == 5
    assert after(pressed, (60, CALM_DAY), (80, BUSY), (95, CALM_DAY), (120, CALM_DAY)).allowed == 4
    well = after(pressed, *((60.0 + 30 * turn, CALM_DAY) for turn in range(5)))
    assert (well.allowed, well.because) == (8, "")


def test_what_is_configured_is_the_most() -> None:
    """Fewer slots after a restart count at once; more are grown into."""
    assert after(Throttle(allowed=8), (0, BUSY), most=3).allowed == 3
    assert after(Throttle(allowed=3), (0, BUSY), most=8).allowed == 3
    assert after(None, (0, PRESSED), most=1) == Throttle(allowed=1)


_SAMPLES = st.builds(
    lambda load, cpu, memory, io: Sample({"load": load, "cpu": cpu, "memory": memory, "io": io}),
    st.sampled_from([0.0, 1.5, 2.0, 3.0, 9.0]),
    st.sampled_from([0.0, 40.0, 60.0, 99.0]),
    st.sampled_from([0.0, 5.0, 50.0]),
    st.sampled_from([0.0, 20.0, 90.0]),
)


@given(
    steps=st.lists(st.tuples(_SAMPLES, st.sampled_from([-60.0, 0.0, 5.0, 10.0, 31.0, 600.0])), max_size=60),
    most=st.integers(1, 20),
)
def test_never_below_one_never_above_the_most_and_growth_only_after_a_calm_spell(
    steps: list[tuple[Sample, float]], most: int
) -> None:
    """Whatever is measured, also while the clock is set back."""
    throttle: Throttle | None = None
    now, calm_since = NOW, None
    for sample, seconds in steps:
        now += timedelta(seconds=seconds)
        before, throttle = throttle, react(throttle, sample, now, most)
        calm = (
            sample.values["load"] <= 1.5
            and sample.values["cpu"] <= 40
            and max(sample.values["memory"] - 2, sample.values["io"] - 10) <= 0
        )
        calm_since = (calm_since if calm_since is not None and calm_since <= now else now) if calm else None
        assert 1 <= throttle.allowed <= most
        if before is not None and throttle.allowed > before.allowed:
            assert throttle.allowed == before.allowed + 1
            assert calm_since is not None
            assert now - calm_since >= CALM
        if before is not None and throttle.allowed < before.allowed:
            assert throttle.allowed == max(1, before.allowed // 2)
            assert before.shrunk_at is None or not timedelta(0) <= now - before.shrunk_at < SETTLES


def test_the_first_resource_that_is_short_is_named() -> None:
    """In the order of what is left; what is not needed cannot lack."""
    left = {"slots": 1.0, "memory": 1024.0, "cpu": 0.5}
    assert lacking({"slots": 1, "memory": 2048, "cpu": 1}, left) == "memory"
    assert lacking({"slots": 1, "memory": 1024, "cpu": 0.5}, left) == ""
    assert lacking({"slots": 1}, {"slots": 0.0}) == "slots"
    assert gigabytes(2150) == "2.1 GB"
    assert Machine().cores == float("inf")

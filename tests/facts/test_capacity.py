"""What the kernel tells of this machine."""

from pathlib import Path

from app.facts.capacity import read_machine, read_pressure


def test_this_machine_has_memory_and_cores_and_a_load() -> None:
    """Less the reserve, never below nothing."""
    machine = read_machine(0)
    assert 0 < machine.free_memory_mib <= machine.memory_mib
    assert machine.cores >= 1
    assert read_machine(1e9).free_memory_mib == read_machine(1e9).memory_mib == 0
    assert read_pressure().values["load"] >= 0


def test_the_tighter_limit_of_a_container_counts(tmp_path: Path) -> None:
    """A control group of 100 MiB with 40 in use; `max` is no limit."""
    (tmp_path / "memory.max").write_text(f"{100 * 2**20}\n")
    (tmp_path / "memory.current").write_text(f"{40 * 2**20}\n")
    machine = read_machine(10, tmp_path)
    assert (machine.free_memory_mib, machine.memory_mib) == (50, 90)
    (tmp_path / "memory.max").write_text("max\n")
    assert read_machine(10, tmp_path).memory_mib > 90


def test_pressure_is_read_as_linux_writes_it(tmp_path: Path) -> None:
    """The mean of a minute for cores, of ten seconds for memory and disk; where a file is missing or odd it says nothing."""
    (tmp_path / "cpu").write_text(
        "some avg10=90.00 avg60=41.50 avg300=1.61 total=1472\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"
    )
    (tmp_path / "memory").write_text(
        "some avg10=9.00 avg60=0.00 avg300=0.00 total=1\nfull avg10=3.25 avg60=0.00 avg300=0.00 total=1\n"
    )
    (tmp_path / "io").write_text("odd")
    values = read_pressure(tmp_path).values
    assert {name: values[name] for name in values if name != "load"} == {"cpu": 41.5, "memory": 3.25}

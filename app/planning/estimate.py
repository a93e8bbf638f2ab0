"""How long a task will take and how much memory it needs, before anything was measured here.

Minutes (P50): feature 44, bug 18 and tests 12 are the means of the reference system's scenarios; a refactoring changes code
without deciding what it should do: 30; documentation and chores need fewer test cycles: 10. P90 is 1.75 times P50: so it was in
the reference system's recorded run of twelve tasks (8.3 and 14.5 minutes). Memory: 2,048 MiB per task is the P90.
"""

from shared.models import Estimate, Kind

MINUTES_P50: dict[Kind, float] = {
    Kind.FEATURE: 44,
    Kind.BUG: 18,
    Kind.TESTS: 12,
    Kind.REFACTOR: 30,
    Kind.DOCS: 10,
    Kind.CHORE: 10,
}
P90_FACTOR = 1.75
MEMORY_MIB_P90 = 2048


def prior(kind: Kind) -> Estimate:
    """The estimate of a repository without history."""
    p50 = MINUTES_P50[kind]
    return Estimate(minutes_p50=p50, minutes_p90=p50 * P90_FACTOR, memory_mib_p90=MEMORY_MIB_P90, source="prior")

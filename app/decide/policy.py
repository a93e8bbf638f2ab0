"""The operator's word, as far as decisions depend on it."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Policy:
    """The operator's settings that decisions depend on."""

    label: str
    intake: timedelta
    intake_max: timedelta
    lease: timedelta
    start_timeout: timedelta
    # Why an attempt that nobody began within that time was lost, as far as that can be known.
    not_begun: str
    slots: int
    # What one task is expected to use at its peak, and how long a young one has not yet used it.
    task_memory_mib: float
    # How long who took a job may take until it claims it, and why it is lost then; None: that is not told apart.
    begin_timeout: timedelta | None = None
    not_claimed: str = ""
    memory_settles: timedelta = timedelta(seconds=60)
    # Who has been ready for so long comes first, and room is kept for it.
    patience: timedelta = timedelta(minutes=60)
    # Runners register with GitHub beforehand, so that those online and idle can be counted.
    counts_runners: bool = False
    max_losses: int = 3
    # How long the repository's own CI is waited for; zero: not at all.
    ci_wait: timedelta = timedelta(minutes=60)
    # What one attempt, one orchestration and one day may cost; None: not limited. An attempt of an agent without a model: nothing.
    attempt_cost_usd: float | None = None
    attempt_tokens: int | None = None
    orchestration_cost_usd: float | None = None
    day_cost_usd: float | None = None
    # Somebody will look again later: plans may wait for Start and for merges. A single job ends when its work does.
    attended: bool = True
    # How long finished work is kept for a person to publish it.
    hold: timedelta = timedelta(hours=168)
    allow_public: bool = False
    allowed_bots: tuple[str, ...] = ()
    app_login: str = ""

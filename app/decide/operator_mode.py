"""What an operator has told the app: whether new work starts."""

from enum import StrEnum


class OperatorMode(StrEnum):
    """PAUSED and DRAINING start nothing new and let everything else go on; who drains waits for the last one to end."""

    RUNNING = "running"
    PAUSED = "paused"
    DRAINING = "draining"

"""What is known of work that waits to be published: a part of its attempt's row, then of its task's."""

from datetime import datetime

from app.decide.row import Row
from shared.messages import HeldWork


class OnHold(Row):
    """Checked work that is not on GitHub: its commit, the attempt whose bundle the app keeps, on which machine, and until when."""

    attempt: str
    head_sha: str
    work: HeldWork
    host: str = ""
    since: datetime
    until: datetime

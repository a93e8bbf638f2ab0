"""Three kinds of failure, each meaning an action; everything else is a bug and travels up."""

from datetime import timedelta


class UserError(Exception):
    """Somebody can mend this: tell them. The message is one or more sentences of Markdown that name the thing and the fix."""


class TransientError(Exception):
    """The same call may work later; `after` is the wait the other side asked for, if it did."""

    def __init__(self, message: str, after: timedelta | None = None) -> None:
        super().__init__(message)
        self.after = after


class FatalError(Exception):
    """This process cannot go on; the message names the reason and the fix, on one line."""

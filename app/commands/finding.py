"""What `shoal doctor` says of one thing that it tried."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """`fix` is empty when it is well; a `warning` works, and is still something that a person should know."""

    name: str
    ok: bool
    detail: str
    fix: str = ""
    warning: bool = False

    @property
    def word(self) -> str:
        """For the beginning of its line."""
        return "FAIL" if not self.ok else "warn" if self.warning else "ok  "


def warn(name: str, detail: str, fix: str) -> Finding:
    """Nothing is broken, and yet."""
    return Finding(name, True, detail, fix, warning=True)

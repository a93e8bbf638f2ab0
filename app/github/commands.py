"""`/shoal command words` at the beginning of a comment, read as people write it."""

import re

_COMMAND = re.compile(r"\s*/shoal(?:\s+(?P<command>[A-Za-z-]{1,30}))?(?:\s+(?P<words>.*))?", re.DOTALL)


def is_command(body: str) -> bool:
    """Whether a comment speaks to us."""
    return re.match(r"\s*/shoal(?!\S)", body) is not None


def read_command(body: str) -> tuple[str, str]:
    """The command in lower case, and what follows it; `/shoal` alone asks for help."""
    found = _COMMAND.fullmatch(body)
    if not is_command(body) or found is None:
        return "", ""
    return (found["command"] or "help").lower(), (found["words"] or "").strip()

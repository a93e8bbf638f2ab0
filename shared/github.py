"""What both sides share about GitHub: names, hidden markers, limits. No client."""

import hashlib
import re
import unicodedata

# Named on every request: without it GitHub chooses, and Enterprise servers do not know newer ones.
API_VERSION = "2022-11-28"

# Source: GitHub's OpenAPI description (checks/create) and its rate-limit documentation.
CHECK_TEXT_LIMIT = 65_535
CHECK_ANNOTATION_LIMIT = 50
CHECK_BUTTON_LIMIT = 3
WEBHOOK_BODY_LIMIT = 25 * 1024 * 1024
COMMENT_LIMIT = 65_536

CHECK_NAME = "Shoal"
BRANCH_PREFIX = "shoal/"
# Of a repository; only ever read from its default branch.
SETTINGS_FILE = ".github/shoal.yml"
# What repositories tell agents, in the order in which it is read; only ever from the base commit.
INSTRUCTION_FILES = ("AGENTS.md", "CLAUDE.md", ".github/copilot-instructions.md")


def issue_hash(title: str, body: str) -> str:
    """What an approval is bound to: SHA-256 over title and body, so that a later edit is seen."""
    return hashlib.sha256(f"{title}\0{body}".encode("utf-8", "surrogatepass")).hexdigest()


def fingerprint(token: str) -> str:
    """What names a token without being one: GitHub's are long and random, so nobody finds them by it."""
    return hashlib.sha256(token.encode()).hexdigest()


def branch_name(number: int, title: str, generation: int = 1) -> str:
    """A ref name that git accepts for any title: `shoal/12-fix-login`, generation 2 `shoal/12.2-fix-login`."""
    ascii_title = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_title.lower()).strip("-")[:40].strip("-") or "issue"
    again = f".{generation}" if generation > 1 else ""
    return f"{BRANCH_PREFIX}{number}{again}-{slug}"


def marker(kind: str, key: str) -> str:
    """A hidden line by which we find our own comment again; it counts only in texts that our App wrote."""
    return f"<!-- shoal:{kind}:{key} -->"


def cut(text: str, limit: int, note: str) -> str:
    """`text` within `limit` characters and UTF-8 bytes; what is cut is replaced by `note`."""
    if len(text.encode()) <= limit:
        return text
    room = limit - len(note.encode())
    return text.encode()[:room].decode(errors="ignore").rsplit("\n", 1)[0] + note

"""Looks for credentials in what a change adds: detect-secrets' shapes and some of our own. No finding shows what was found."""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from runner.rules.entries import Entry, Refusal
from shared.git import git

# Of detect-secrets' plugins those with a shape of their own. Over the 41,723 lines that this repository's history added, they
# found 9 things: 7 that tests had planted and 2 addresses with a placeholder, which `_is_real_address` now lets through. Left out
# for what they found there: high entropy (6,494), keyword (18), public addresses (4); Artifactory for words such as `APEndpoint`;
# private keys and OpenAI, whose shapes are wider below.
_PLUGINS = (
    ("aws", "AWSKeyDetector", "an AWS key"),
    ("azure_storage_key", "AzureStorageKeyDetector", "an Azure storage key"),
    ("cloudant", "CloudantDetector", "a Cloudant credential"),
    ("discord", "DiscordBotTokenDetector", "a Discord bot token"),
    ("github_token", "GitHubTokenDetector", "a GitHub token"),
    ("gitlab_token", "GitLabTokenDetector", "a GitLab token"),
    ("ibm_cloud_iam", "IbmCloudIamDetector", "an IBM Cloud key"),
    ("ibm_cos_hmac", "IbmCosHmacDetector", "an IBM Cloud storage key"),
    ("jwt", "JwtTokenDetector", "a JSON web token"),
    ("mailchimp", "MailchimpDetector", "a Mailchimp key"),
    ("npm", "NpmDetector", "an npm token"),
    ("pypi_token", "PypiTokenDetector", "a PyPI token"),
    ("sendgrid", "SendGridDetector", "a SendGrid key"),
    ("slack", "SlackDetector", "a Slack token"),
    ("softlayer", "SoftlayerDetector", "a SoftLayer credential"),
    ("square_oauth", "SquareOAuthDetector", "a Square secret"),
    ("stripe", "StripeDetector", "a Stripe key"),
    ("telegram_token", "TelegramBotTokenDetector", "a Telegram bot token"),
    ("twilio", "TwilioKeyDetector", "a Twilio key"),
)
_SHAPES = (
    ("a private key", re.compile(r"-----BEGIN (?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)?-----|PuTTY-User-Key-File-\d")),
    ("a GitHub token", re.compile(r"\bgh[pousr]_[A-Za-z0-9]{30,}|\bgithub_pat_[A-Za-z0-9_]{30,}")),
    ("a secret of Shoal", re.compile(r"\bshoal_secret_[A-Za-z0-9_-]{32,}")),
    ("an npm token", re.compile(r"\bnpm_[A-Za-z0-9]{36}\b")),
    ("a Google API key", re.compile(r"\bAIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])")),
    (
        "a model provider's key",
        re.compile(
            r"\bsk-ant-[A-Za-z0-9_-]{20,}|\bsk-[A-Za-z0-9_-]{0,80}?[A-Za-z0-9]{24}|\bxai-[A-Za-z0-9]{40,}|\bgsk_[A-Za-z0-9]{40,}"
            r"|\bhf_[A-Za-z0-9]{34}\b|\br8_[A-Za-z0-9]{37}\b|\bpplx-[A-Za-z0-9]{40,}"
        ),
    ),
)
# A password in an address counts when the host could be reached by others; `{x}`, `$X`, `<x>`, `***` stand in for one.
_ADDRESS = re.compile(r"://[^\s:/?#@\[\]\"'`]{1,200}:([^\s:/?#@\[\]\"'`]{1,200})@([A-Za-z0-9._-]{1,250})")
_PLACEHOLDER = re.compile(r"[{$<%*].*|(?i:x+|\.+|password|passwd|pass|secret|token|changeme|example|your[-_]?\w+)$")
_RESERVED = re.compile(
    r"(?i:localhost|[^.]*|127(?:\.\d+){3}|0\.0\.0\.0|.*\.(?:example|test|invalid|localhost|local)|(?:.*\.)?example\.(?:com|org|net))\.?"
)

# Minified files hold lines of megabytes, on which patterns would take a quadratic time.
_WINDOW, _OVERLAP = 4096, 512
_HUNK = re.compile(r"@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


class Added(NamedTuple):
    """One line that a change adds."""

    path: str
    line: int
    text: str


def judge_text(quarantine: Path, start: str, head: str, entries: Sequence[Entry]) -> list[Refusal]:
    """Added lines and added names: what the repository holds already is its owners' business. One refusal a file and kind."""
    found: dict[tuple[str, str], Refusal] = {}
    names = (Added(entry.path, 0, entry.path) for entry in entries if entry.is_kept)
    for added in (*names, *added_lines(quarantine, start, head, entries)):
        for what in credentials_in(added.text):
            found.setdefault((added.path, what), Refusal(added.path, f"holds {what}", "", added.line))
    return list(found.values())


def credentials_in(text: str) -> Iterator[str]:
    """What kinds of credentials a line holds; never the credentials."""
    for begin in range(0, max(1, len(text)), _WINDOW - _OVERLAP):
        window = text[begin : begin + _WINDOW]
        yield from (what for what, shape in _SHAPES if shape.search(window))
        yield from (what for what, holds in _detectors() if holds(window))
        if any(_is_real_address(*found.groups()) for found in _ADDRESS.finditer(window)):
            yield "a password in an address"


def added_lines(quarantine: Path, start: str, head: str, entries: Sequence[Entry]) -> Iterator[Added]:
    """By the counts of each hunk and the order of files: a line may look like a header, a name may hold anything."""
    options = ("--text", "--unified=0", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames")
    patch = git("diff-tree", "-r", "-p", *options, start, head, cwd=quarantine)
    # A file that becomes a link, or a link a file, is told in two sections.
    sections = [entry.path for entry in entries for _ in range(1 + _changes_kind(entry))]
    section, number, removed, added = -1, 0, 0, 0
    for line in patch.split("\n"):  # not splitlines: it also splits at signs that git takes for text
        if removed and line.startswith("-"):
            removed -= 1
        elif added and line.startswith("+"):
            yield Added(sections[section], number, line[1:])
            number, added = number + 1, added - 1
        elif hunk := _HUNK.match(line):
            removed, number, added = int(hunk[1] or 1), int(hunk[2]), int(hunk[3] or 1)
        elif line.startswith("diff --git "):
            section += 1


def _changes_kind(entry: Entry) -> bool:
    return "000000" not in {entry.was, entry.mode} and entry.was[:2] != entry.mode[:2]


def _is_real_address(password: str, host: str) -> bool:
    return not _PLACEHOLDER.match(password) and not _RESERVED.fullmatch(host)


@cache
def _detectors() -> tuple[tuple[str, Callable[[str], bool]], ...]:
    """Imported when a change is judged and not before: they bring `requests` along, which they never use here."""
    from importlib import import_module

    def holds(analyze: Callable[[str], Iterator[str]]) -> Callable[[str], bool]:
        # AWS's documentation, and every test written after it, has keys that end with this word.
        return lambda text: any("EXAMPLE" not in found for found in analyze(text))

    loaded = ((what, getattr(import_module(f"detect_secrets.plugins.{module}"), name)) for module, name, what in _PLUGINS)
    return tuple((what, holds(plugin().analyze_string)) for what, plugin in loaded)

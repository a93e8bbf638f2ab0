"""Credentials in what a change adds: found by kind, never shown."""

import base64
import json

import pytest

from runner.rules.credentials import credentials_in

JWT = ".".join(
    base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({"alg": "HS256"}, {"sub": "1"})
)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("-----BEGIN OPENSSH PRIVATE KEY-----", "a private key"),
        ("-----BEGIN ENCRYPTED PRIVATE KEY-----", "a private key"),
        ("-----BEGIN PGP PRIVATE KEY BLOCK-----", "a private key"),
        ("key = 'AKIAABCDEFGHIJKLMNOP'", "an AWS key"),
        ("ghp_" + "a" * 36, "a GitHub token"),
        ("github_pat_" + "a" * 40, "a GitHub token"),
        ("OPENAI_API_KEY=sk-" + "b" * 30, "a model provider's key"),
        ("sk-proj-" + "a_b-" * 5 + "c" * 40, "a model provider's key"),
        ("sk-ant-api03-" + "a-b_" * 10, "a model provider's key"),
        ("AIza" + "c" * 35, "a Google API key"),
        ("hf_" + "d" * 34, "a model provider's key"),
        ("npm_" + "e" * 36, "an npm token"),
        ("//registry.example.org/:_authToken=123e4567-e89b-12d3-a456-426614174000", "an npm token"),
        ("xoxb-" + "1" * 12 + "-" + "2" * 12 + "-abcdefghijklmnopqrstuvwx", "a Slack token"),
        ("glpat-" + "f" * 20, "a GitLab token"),
        ("sk_live_" + "g" * 24, "a Stripe key"),
        (f"token: {JWT}.c2ln", "a JSON web token"),
        ("postgres://admin:hunter22@db.prod.acme.io/x", "a password in an address"),
    ],
)
def test_credentials_of_known_shape_are_found(text: str, what: str) -> None:
    """Alone, in the middle of a line, and at the end of a minified one."""
    assert what in set(credentials_in(text))
    assert what in set(credentials_in(f'x = "{text}";'))
    assert what in set(credentials_in("y=1;" * 5000 + f' "{text}" ' + "z=2;" * 3000))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "password = os.environ['PASSWORD']",
        'integrity: "sha512-' + "aB3+/" * 17 + '=="',
        "commit 8124d1491c6dd4ab0d2f8fd9e8ac8c8fdab0e5a1",
        "postgres://postgres:postgres@localhost:5432/test",
        "postgres://user:pw@db:5432/test",
        'f"https://x-access-token:{token}@github.com/x"',
        "https://user:$PASSWORD@acme.io/",
        "https://user:password@acme.io/",
        "ftp://me:real@ftp.example.com/",
        "AKIAIOSFODNN7EXAMPLE",
        ".sk-loading-indicator-container { }",
        "the task-management-of-everything",
        "class APEndpointFactory: ...",
        "-----BEGIN PUBLIC KEY-----",
        "def private_key(self): return 'BEGIN PRIVATE KEY'",
        "host = '203.0.113.7'",
    ],
)
def test_ordinary_lines_hold_none(text: str) -> None:
    """A refusal costs somebody a whole change."""
    assert list(credentials_in(text)) == []


@pytest.mark.parametrize("unit", ["://a:", "sk-a", "eyJ", "AIza", "a@b:", "-----BEGIN A ", "aws key '", "xox"])
def test_a_megabyte_made_to_trap_patterns_is_read_to_the_end(unit: str) -> None:
    """Minified files are ordinary, too (a quadratic pattern would meet the suite's time-out)."""
    list(credentials_in(unit * (1_000_000 // len(unit))))

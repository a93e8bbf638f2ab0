"""`shoal init`: files that GitHub and the linters accept, written once, never over what a person wrote."""

import json
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from jsonschema import Draft202012Validator

from app.commands.init import schema_address
from app.facts.workflow_file import outdated
from tests.commands.shoal import shoal
from tests.support.action import ROOT
from tests.support.localhub import Hub

COMMIT = "0123456789abcdef0123456789abcdef01234567"
WORK = ("--action", f"acme/shoal@{COMMIT}", "--app-url", "https://shoal.example.com/", "--runner-labels", "self-hosted, linux")
ORCHESTRATE = ("--action", f"acme/shoal@{COMMIT}", "--mode", "orchestrate", "--label", "please do")

REUSABLE = ("--reusable", *WORK)
CALLER = ("--action", f"acme/ci/.github/workflows/shoal.yml@{COMMIT}", *WORK[2:])


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """An empty repository."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    return tmp_path


@pytest.mark.parametrize("arguments", [WORK, ORCHESTRATE, REUSABLE, CALLER], ids=["work", "orchestrate", "reusable", "caller"])
def test_the_workflow_file_passes_every_linter(checkout: Path, arguments: tuple[str, ...]) -> None:
    """GitHub's schema, act's strict check and zizmor's findings."""
    assert shoal("init", checkout, *arguments).status == 0
    beside = Path(sys.executable).parent
    for argv in (
        ("check-jsonschema", "--builtin-schema", "vendor.github-workflows", ".github/workflows/shoal.yml"),
        ("act", "--validate", "--strict", "-W", ".github/workflows/"),
        ("zizmor", "--offline", "--no-progress", "--quiet", "."),
    ):
        done = subprocess.run([beside / argv[0], *argv[1:]], cwd=checkout, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_work_job_may_prove_who_it_is_and_nothing_else(checkout: Path) -> None:
    """The dispatch brings an id; where the app is stands in the file."""
    shoal("init", checkout, *WORK)
    data = yaml.safe_load((checkout / ".github/workflows/shoal.yml").read_text())
    [job] = data["jobs"].values()
    assert (data["permissions"], job["permissions"]) == ({}, {"id-token": "write"})
    assert job["runs-on"] == ["self-hosted", "linux"]
    [step] = job["steps"]
    assert step["with"]["app-url"] == "https://shoal.example.com"


def test_a_shared_workflow_asks_for_no_more_than_its_few_lines_grant(tmp_path: Path) -> None:
    """One file for the organisation has the action; the repository names it, hands over three values, and is not outdated."""
    ci, widgets = tmp_path / "ci", tmp_path / "widgets"
    for folder, arguments in ((ci, REUSABLE), (widgets, CALLER)):
        subprocess.run(["git", "init", "-q", str(folder)], check=True)
        assert shoal("init", folder, *arguments).status == 0
    assert not (ci / ".github/shoal.yml").exists()
    [called] = yaml.safe_load((ci / ".github/workflows/shoal.yml").read_text())["jobs"].values()
    text = (widgets / ".github/workflows/shoal.yml").read_text()
    data = yaml.safe_load(text)
    [job] = data["jobs"].values()
    assert called["steps"][0]["uses"] == WORK[1]
    assert (data["permissions"], job["permissions"], called["permissions"]) == ({}, *[{"id-token": "write"}] * 2)
    assert (job["uses"], set(job["with"])) == (CALLER[1], {"attempt", "app-url", "runner-labels"})
    assert outdated(text, "https://shoal.example.com", ["self-hosted", "linux"]) == ()
    assert outdated(text, "https://new.example.com", ["gpu"]) == (
        "its `app-url` is https://shoal.example.com, this app is at https://new.example.com",
        "it runs on linux, self-hosted, SHOAL_RUNNER_LABELS says gpu",
    )


def test_what_a_person_changed_stays(checkout: Path) -> None:
    """A second run changes nothing; `--force` replaces the workflow and never the settings."""
    shoal("init", checkout, *WORK)
    again = shoal("init", checkout, *WORK, "--json").document["files"]
    assert set(again.values()) == {"is there already"}
    for path in again:
        (checkout / path).write_text("mine: true\n")
    assert set(shoal("init", checkout, *WORK, "--json").document["files"].values()) == {"is there and differs: left alone"}
    assert sorted(shoal("init", checkout, *WORK, "--json", "--force").document["files"].values()) == [
        "is there and differs: left alone",
        "written",
    ]
    assert (checkout / ".github/shoal.yml").read_text() == "mine: true\n"


@pytest.mark.parametrize(
    ("action", "github_url", "address"),
    [
        (
            f"acme/shoal@{COMMIT}",
            "https://github.com",
            f"https://raw.githubusercontent.com/acme/shoal/{COMMIT}/docs/shoal.schema.json",
        ),
        (
            "acme/tools/shoal@v1",
            "https://github.com",
            "https://raw.githubusercontent.com/acme/tools/v1/shoal/docs/shoal.schema.json",
        ),
        ("acme/shoal@v1", "https://git.example.com", "https://git.example.com/acme/shoal/raw/v1/docs/shoal.schema.json"),
    ],
)
def test_the_schema_is_looked_for_beside_the_action(action: str, github_url: str, address: str) -> None:
    """In the same version; an Enterprise Server has no address of its own for raw files."""
    assert schema_address(action, github_url) == address


def test_the_settings_file_names_its_schema_and_fits_it(checkout: Path) -> None:
    """As it is written, with every key that it shows put to use, and not with a key that is none."""
    assert shoal("init", checkout, *WORK).status == 0
    text = (checkout / ".github/shoal.yml").read_text()
    assert text.splitlines()[0] == f"# yaml-language-server: $schema={schema_address(WORK[1], 'https://github.com')}"
    used = re.sub(r"^# (\w+: )", r"\1", text, flags=re.MULTILINE)
    assert {"test_command", "setup_command"} <= yaml.safe_load(used).keys()
    schema = json.loads((ROOT / "docs/shoal.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    assert urlsplit(schema["$id"]).scheme == "urn"
    validator = Draft202012Validator(schema)
    for fits in (yaml.safe_load(text) or {}, yaml.safe_load(used)):
        assert list(validator.iter_errors(fits)) == []
    [error] = validator.iter_errors({"test_comand": "make test"})
    assert "test_comand" in error.message


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--app-url", "https://x.example"), "--action"),
        ((*WORK[:2], "--app-url", "shoal.example.com"), "--app-url"),
        ((*WORK[:4], "--runner-labels", "self-hosted,${{ x }}"), "--runner-labels"),
        ((*ORCHESTRATE[:4], "--label", "it's"), "--label"),
        ((*ORCHESTRATE, "--reusable"), "--mode"),
        ((*CALLER, "--reusable"), "--action"),
    ],
)
def test_what_cannot_stand_in_a_workflow_is_named(checkout: Path, arguments: tuple[str, ...], words: str) -> None:
    """Status 2, the option at fault, nothing written."""
    run = shoal("init", checkout, *arguments)
    assert (run.status, words in run.stderr, "Traceback" in run.stderr) == (2, True, False)
    assert not (checkout / ".github").exists()


@pytest.mark.slow
def test_the_app_makes_the_label_and_fills_in_what_it_knows(
    checkout: Path, hub: Hub, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Once: a second run finds it. Where the App is not installed the files are written all the same, and the status says so."""
    first = tmp_path_factory.mktemp("first")
    (first / "README.md").write_text("# Widgets\n")
    hub.repository("acme/widgets", first)
    app = hub.app("shoal-app")
    env = {
        "SHOAL_GITHUB_URL": hub.url,
        "SHOAL_APP_ID": str(app.id),
        "SHOAL_PRIVATE_KEY": app.private_key_pem,
        "SHOAL_WEBHOOK_SECRET": "s" * 20,
        "SHOAL_PUBLIC_URL": "https://shoal.example.com",
        "SHOAL_LABEL": "please do",
        "SHOAL_RUNNER_LABELS": "self-hosted,gpu",
        "SHOAL_GITHUB_WRITES_PER_SECOND": "1000",
    }
    subprocess.run(["git", "remote", "add", "origin", f"{hub.url}/acme/widgets.git"], cwd=checkout, check=True)
    without = shoal("init", checkout, *WORK[:2], "--json", env=env)
    assert (without.status, "not installed on acme/widgets" in without.document["label"]) == (1, True)
    data = yaml.safe_load((checkout / ".github/workflows/shoal.yml").read_text())
    [job] = data["jobs"].values()
    assert (job["runs-on"], job["steps"][0]["with"]["app-url"]) == (["self-hosted", "gpu"], "https://shoal.example.com")
    hub.install(app, "acme/widgets")
    assert shoal("init", checkout, *WORK[:2], "--json", env=env).document["label"] == "made"
    assert shoal("init", checkout, *WORK[:2], "--json", env=env).document["label"] == "is there already"
    person = hub.person("mona", {"acme/widgets": "read"})
    assert [label["name"] for label in person.get("/repos/acme/widgets/labels")] == ["please do"]


def test_a_folder_that_is_no_checkout_is_refused(tmp_path: Path) -> None:
    """Before anything is written into it."""
    run = shoal("init", tmp_path, *WORK)
    assert run.status == 2
    assert "no checkout" in run.stderr

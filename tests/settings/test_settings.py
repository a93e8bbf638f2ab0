"""Stories about the operator's settings."""

import stat
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.registration import Registration, folder, keep
from app.settings import Settings, load, strangers, unregistered
from scripts.settings_table import PAGE, table, unit, updated
from shared.errors import UserError

GOOD = {"webhook_secret": "s" * 20, "app_id": "7", "private_key": "pem", "agent_command": "my-agent --fast"}


@pytest.fixture(autouse=True)
def empty_world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable or `.env` of this machine takes part."""
    monkeypatch.chdir(tmp_path)
    for name in (*Settings.model_fields, "config"):
        monkeypatch.delenv(f"SHOAL_{name.upper()}", raising=False)


def test_a_missing_webhook_secret_refuses_to_start_with_the_fix() -> None:
    """No secret, no start: one error names the variable and how to make a secret."""
    with pytest.raises(UserError, match=r"SHOAL_WEBHOOK_SECRET is missing: .*openssl rand"):
        load(app_id="7", private_key="pem", agent_command="x")


def test_every_wrong_variable_is_named_at_once_and_no_value_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two mistakes are one error with two lines, and a secret that is too short is not quoted."""
    monkeypatch.setenv("SHOAL_PORT", "http")
    monkeypatch.setenv("SHOAL_WEBHOOK_SECRET", "hunter2")
    with pytest.raises(UserError) as caught:
        load(**{name: value for name, value in GOOD.items() if name != "webhook_secret"})
    text = str(caught.value)
    assert "SHOAL_PORT is wrong" in text
    assert "SHOAL_WEBHOOK_SECRET is wrong" in text
    assert "hunter2" not in text


def test_an_empty_variable_counts_as_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """`SHOAL_WEBHOOK_SECRET=` in a compose file is not a secret."""
    monkeypatch.setenv("SHOAL_WEBHOOK_SECRET", "")
    with pytest.raises(UserError, match="SHOAL_WEBHOOK_SECRET is missing"):
        load(app_id="7", private_key="pem", agent_command="x")


def test_settings_that_belong_together_are_asked_for_together() -> None:
    """A key, the agent's command and a heartbeat within the lease are needed, each by its own line."""
    with pytest.raises(UserError, match="SHOAL_PRIVATE_KEY_PATH is missing"):
        load(webhook_secret="s" * 20, app_id="7", agent_command="x")
    with pytest.raises(UserError, match="SHOAL_AGENT_COMMAND is missing"):
        load(webhook_secret="s" * 20, app_id="7", private_key="pem", agent="command")
    with pytest.raises(UserError, match="SHOAL_HEARTBEAT_SECONDS is too long"):
        load(**GOOD, heartbeat_seconds=40)


def test_a_named_agent_needs_no_command() -> None:
    """`claude` is its own program, unless another one is named; its arguments are words. Unset, it is `claude`."""
    assert load(**{**GOOD, "agent_command": ()}).agent == "claude"
    assert load(**GOOD).agent == "command"
    named = load(**{**GOOD, "agent": "claude", "agent_command": ()}, agent_options="--effort 'very high'")
    assert (named.agent_program, named.agent_options) == ("claude", ("--effort", "very high"))
    assert load(**{**GOOD, "agent": "claude", "agent_command": "/opt/claude"}).agent_program == "/opt/claude"
    assert load(**{**GOOD, "agent": "mini-swe-agent", "agent_command": ()}).agent_program == "mini"
    with pytest.raises(UserError, match="SHOAL_AGENT is wrong"):
        load(**GOOD, agent="cursor")


def test_a_limit_is_switched_off_by_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty variable keeps the default, `none` means as much as it likes, nonsense is refused."""
    monkeypatch.setenv("SHOAL_ATTEMPT_COST_USD", "none")
    monkeypatch.setenv("SHOAL_ATTEMPT_TURNS", "")
    settings = load(**GOOD)
    assert (settings.attempt_cost_usd, settings.attempt_turns) == (None, 300)
    with pytest.raises(UserError, match="SHOAL_ATTEMPT_COST_USD is wrong"):
        load(**GOOD, attempt_cost_usd="-1")


def test_a_budget_needs_to_know_what_an_attempt_may_cost() -> None:
    """Without a figure nothing could be reserved; an agent that calls no model costs nothing."""
    with pytest.raises(UserError, match="SHOAL_ATTEMPT_COST_USD is `none`, but SHOAL_DAY_COST_USD is set"):
        load(**{**GOOD, "agent": "codex"}, attempt_cost_usd="none", day_cost_usd=50)
    with pytest.raises(UserError, match="SHOAL_ORCHESTRATION_COST_USD is less than SHOAL_ATTEMPT_COST_USD"):
        load(**{**GOOD, "agent": "codex"}, orchestration_cost_usd=5)
    assert load(**GOOD, attempt_cost_usd="none", day_cost_usd=50).day_cost_usd == 50


def test_lists_are_written_the_way_people_write_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command is shell words or JSON, bots are separated by commas."""
    monkeypatch.setenv("SHOAL_AGENT_COMMAND", "my-agent 'two words'")
    monkeypatch.setenv("SHOAL_ALLOWED_BOTS", "renovate[bot], dependabot[bot]")
    settings = load(webhook_secret="s" * 20, app_id="7", private_key="pem")
    assert settings.agent_command == ("my-agent", "two words")
    assert settings.allowed_bots == ("renovate[bot]", "dependabot[bot]")
    monkeypatch.setenv("SHOAL_AGENT_COMMAND", '["a", "b c"]')
    assert load(webhook_secret="s" * 20, app_id="7", private_key="pem").agent_command == ("a", "b c")


def test_addresses_follow_from_host_port_and_folder() -> None:
    """Unset addresses are built from what is set; a wildcard address is not a link."""
    settings = load(**GOOD, host="0.0.0.0", port=9000, work_dir=Path("/srv/shoal"))
    assert settings.public_url == "http://127.0.0.1:9000"
    assert settings.database_url == "sqlite:////srv/shoal/shoal.db"


def test_a_secret_does_not_show_in_a_printed_settings_object() -> None:
    """What is logged by accident shows stars."""
    assert "s" * 20 not in repr(load(**GOOD))


def test_a_key_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The error carries path, reason and fix; a key in a variable may carry its line ends as `\\n`."""
    settings = load(webhook_secret="s" * 20, app_id="7", agent_command="x", private_key_path=tmp_path / "no.pem")
    with pytest.raises(UserError, match=r"no\.pem` cannot be read .*name the App's PEM file"):
        settings.key()
    assert load(**{**GOOD, "private_key": "a\\nb"}).key() == "a\nb"


def test_a_mistyped_variable_is_recognised() -> None:
    """SHOAL_SLOTZ is nobody's, and the near miss is offered."""
    assert strangers(["SHOAL_SLOTZ", "SHOAL_SLOTS", "HOME"]) == ["SHOAL_SLOTZ is not a setting; did you mean SHOAL_SLOTS?"]


def test_a_file_sets_what_no_variable_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """`shoal.toml` in the working folder: lists and numbers as TOML has them; the environment and `.env` win over it."""
    Path("shoal.toml").write_text('port = 9000\nslots = 3\nhost = "0.0.0.0"\nrunner_labels = ["a", "b c"]\nday_cost_usd = "none"\n')
    Path(".env").write_text("SHOAL_SLOTS=5\n")
    monkeypatch.setenv("SHOAL_PORT", "9001")
    settings = load(**GOOD)
    assert (settings.port, settings.slots, settings.host, settings.runner_labels) == (9001, 5, "0.0.0.0", ("a", "b c"))


def test_another_file_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By SHOAL_CONFIG, which is then the only one, and must be there."""
    Path("shoal.toml").write_text("slots = 3\n")
    (tmp_path / "other.toml").write_text("slots = 4\n")
    monkeypatch.setenv("SHOAL_CONFIG", str(tmp_path / "other.toml"))
    assert load(**GOOD).slots == 4
    monkeypatch.setenv("SHOAL_CONFIG", str(tmp_path / "none.toml"))
    with pytest.raises(UserError, match=r"SHOAL_CONFIG: .*none\.toml` cannot be read .*name a readable TOML file"):
        load(**GOOD)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("slotz = 3", r"shoal\.toml: `slotz` is not a setting: did you mean `slots`\?"),
        ("SHOAL_SLOTS = 3", r"shoal\.toml: `SHOAL_SLOTS` is not a setting: did you mean `slots`\?"),
        ("zzz = 3", r"shoal\.toml: `zzz` is not a setting: remove it"),
        ('port = "http"', r"shoal\.toml: `port` is wrong \(input should be a valid integer.*\): Port to listen on"),
        ("[agent]\nname = 1", r"shoal\.toml: `agent` is a table: write `agent = VALUE`"),
        ("slots: 3", r"shoal\.toml is not TOML \(.*line 1.*\): correct that line"),
    ],
)
def test_a_mistake_in_the_file_names_file_key_and_fix(text: str, words: str) -> None:
    """One clear error, whatever is wrong; a secret in it is not quoted."""
    Path("shoal.toml").write_text(text)
    with pytest.raises(UserError, match=words):
        load(**GOOD)


def test_the_registered_app_is_used_and_nobody_else_may_read_it(tmp_path: Path) -> None:
    """Until the operator names another App, or another GitHub; before that the machine counts as new."""
    assert unregistered() is not None
    keep(Path(".shoal"), _registration(), "PEM")
    assert unregistered() is None
    settings = load(agent_command="x")
    assert (settings.app_id, settings.key(), settings.webhook_secret.get_secret_value()) == ("42", "PEM", "w" * 20)
    assert (settings.github_api_url, settings.runner_url) == ("https://ghe.example.com/api/v3", "https://shoal.example.com")
    assert load(agent_command="x", public_url="https://new.example.com").public_url == "https://new.example.com"
    with pytest.raises(UserError, match="SHOAL_WEBHOOK_SECRET is missing"):
        load(app_id="7", agent_command="x")
    with pytest.raises(UserError, match="SHOAL_APP_ID is missing"):
        load(github_url="https://other.example.com", agent_command="x")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder(Path(".shoal")), *folder(Path(".shoal")).iterdir())}
    assert modes == {"github-app": 0o700, "registration.json": 0o600, "private-key.pem": 0o600}


def test_a_damaged_registration_is_named() -> None:
    """Nothing of it is quoted: it holds secrets."""
    keep(Path(".shoal"), _registration(), "PEM")
    (folder(Path(".shoal")) / "registration.json").write_text('{"client_secret": "hunter2"}')
    with pytest.raises(UserError, match=r"registration\.json is damaged: restore it") as caught:
        load(agent_command="x")
    assert "hunter2" not in str(caught.value)


def test_a_new_machine_hears_of_other_mistakes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anybody registers an App that then could not start."""
    monkeypatch.setenv("SHOAL_SLOTS", "many")
    with pytest.raises(UserError, match="SHOAL_SLOTS is wrong") as caught:
        unregistered()
    assert "SHOAL_APP_ID" not in str(caught.value)


def _registration() -> Registration:
    return Registration(
        app_id="42",
        slug="shoal-acme",
        html_url="https://ghe.example.com/apps/shoal-acme",
        client_id="Iv1",
        client_secret=SecretStr("c" * 20),
        webhook_secret=SecretStr("w" * 20),
        github_url="https://ghe.example.com",
        github_api_url="https://ghe.example.com/api/v3",
        public_url="https://shoal.example.com",
    )


def test_the_api_of_a_github_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """github.com, a company's part of ghe.com, and an Enterprise Server, each by its web address alone."""
    assert load(**GOOD).github_api_url == "https://api.github.com"
    assert load(**GOOD, github_url="https://acme.ghe.com").github_api_url == "https://api.acme.ghe.com"
    assert load(**GOOD, github_url="https://ghe.acme.com").github_api_url == "https://ghe.acme.com/api/v3"


@pytest.mark.parametrize(
    ("github_url", "issuer"),
    [
        ("https://github.com", "https://token.actions.githubusercontent.com"),
        ("https://acme.ghe.com", "https://token.actions.acme.ghe.com"),
        ("https://ghe.acme.com", "https://ghe.acme.com/_services/token"),
        ("https://notghe.com", "https://notghe.com/_services/token"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/_services/token"),
    ],
)
def test_who_signs_the_identities_of_jobs_is_known(github_url: str, issuer: str) -> None:
    """By GitHub's web address alone, as it is for the API."""
    assert load(**GOOD, github_url=github_url).oidc_issuer == issuer


def test_an_enterprise_names_its_own_issuer(monkeypatch: pytest.MonkeyPatch) -> None:
    """It put its name into it; a slash at the end, which no token has, is refused by name."""
    theirs = "https://token.actions.githubusercontent.com/acme-inc"
    monkeypatch.setenv("SHOAL_OIDC_ISSUER", theirs)
    assert load(**GOOD).oidc_issuer == theirs
    with pytest.raises(UserError, match="SHOAL_OIDC_ISSUER"):
        load(**GOOD, oidc_issuer=f"{theirs}/")


def test_the_page_of_settings_is_what_the_code_says() -> None:
    """docs/settings.md is up to date, and every setting stands in it with a meaning."""
    page = PAGE.read_text()
    assert updated(page) == page
    assert table().count("\n") == len(Settings.model_fields) + 1
    assert all(field.description for field in Settings.model_fields.values())


def test_every_number_has_a_unit() -> None:
    """In the table, for the operator's settings and for a repository's."""
    units = {name: unit(name, field) for name, field in Settings.model_fields.items()}
    assert (units["lease_seconds"], units["day_cost_usd"], units["slots"], units["host"]) == ("seconds", "US dollars", "tasks", "")
    assert all(unit(name, field) for name, field in Settings.model_fields.items() if field.annotation in {int, float})

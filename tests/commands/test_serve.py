"""Stories about `shoal serve` on a machine that has no GitHub App yet: the real program, a browser, and the embedded GitHub."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.browser import Browser
from tests.support.localhub import Hub
from tests.support.serving_program import ServingProgram, registered


@pytest.fixture
def place(hub: Hub, tmp_path: Path) -> dict[str, str]:
    """A new machine: nothing is set but what keeps it off this one."""
    return {
        "SHOAL_GITHUB_URL": hub.url,
        "SHOAL_WORK_DIR": str(tmp_path / "data"),
        "SHOAL_PORT": "0",
        "SHOAL_ISOLATION": "none",
    }


@pytest.fixture
def serving(tmp_path: Path, place: dict[str, str]) -> Iterator[ServingProgram]:
    running = ServingProgram(tmp_path, place)
    yield running
    running.end()


@pytest.fixture
def browser() -> Iterator[Browser]:
    with Browser() as one:
        yield one


def test_a_new_machine_registers_its_app_and_goes_on_with_it(
    hub: Hub, tmp_path: Path, place: dict[str, str], serving: ServingProgram, browser: Browser
) -> None:
    """One address, two buttons: key and secrets are on disk for this user only, and the same process is the configured app."""
    url = str(serving.says()["setup"]["url"])
    assert url in serving.log.read_text()
    done = registered(browser, url)
    assert done.status == 200, done.text
    [install] = done.links
    assert install == f"{hub.url}/apps/{_stored(tmp_path)['slug']}/installations/new"

    port = serving.says()["listening"]["port"]
    base = f"http://127.0.0.1:{port}"
    assert url.startswith(base)
    assert httpx.get(f"{base}/readyz", trust_env=False).status_code == 200
    again = browser.get(done.url)
    assert (again.status, "a code is good only once" in again.text) == (409, True)
    assert browser.get(url).status == 409

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "data/github-app").iterdir()}
    assert modes == {"registration.json": 0o600, "private-key.pem": 0o600}
    assert stat.S_IMODE((tmp_path / "data/github-app").stat().st_mode) == 0o700
    secrets = [_stored(tmp_path)[name] for name in ("client_secret", "webhook_secret")]
    assert not [secret for secret in secrets if secret in serving.log.read_text()]

    assert serving.end() == 0
    again_running = ServingProgram(tmp_path, {**place, "SHOAL_PORT": str(port)})
    assert again_running.says()["listening"]["port"] == port
    assert again_running.end() == 0


@pytest.mark.slow
def test_a_signal_between_page_and_app_ends_it(serving: ServingProgram, browser: Browser) -> None:
    """Whoever ends it just then is heard: nothing starts that nobody wants."""
    registered(browser, str(serving.says()["setup"]["url"]))
    assert serving.end() in {0, -15}


@pytest.mark.slow
def test_installing_leads_back_with_the_next_steps(hub: Hub, tmp_path: Path, serving: ServingProgram, browser: Browser) -> None:
    """And a webhook of that installation is accepted, signed with the secret that GitHub made."""
    (tmp_path / "repository").mkdir()
    (tmp_path / "repository" / "README.md").write_text("# Widgets\n")
    hub.repository("acme/widgets", tmp_path / "repository", private=True)
    [install] = registered(browser, str(serving.says()["setup"]["url"])).links
    serving.says()
    choose = browser.get(install)
    installed = browser.submit(choose, choose.forms[0])
    assert "shoal init" in installed.text
    maintainer = hub.person("mona", {"acme/widgets": "maintain"})
    issue = maintainer.open_issue("acme/widgets", "Mend it", labels=["shoal"])
    sent = hub.wait_for(lambda: [row for row in hub.deliveries("issues", "labeled") if row["status"] != "pending"])
    assert (sent[0]["status_code"], sent[0]["payload"]["issue"]["number"]) == (202, issue["number"])


@pytest.mark.slow
def test_an_organisation_owns_the_app_when_it_is_named(hub: Hub, tmp_path: Path, serving: ServingProgram, browser: Browser) -> None:
    """The form leads to the organisation's own page; one that does not exist is GitHub's to refuse."""
    (tmp_path / "repository").mkdir()
    (tmp_path / "repository" / "README.md").write_text("# Widgets\n")
    hub.repository("acme/widgets", tmp_path / "repository")
    page = browser.get(str(serving.says()["setup"]["url"]))
    changed = browser.submit(page, page.forms[1], organisation="acme", name="Shoal of Acme")
    assert changed.forms[0].action.startswith(f"{hub.url}/organizations/acme/settings/apps/new?state=")
    theirs = browser.submit(changed, changed.forms[0])
    assert "Create GitHub App for acme" in theirs.text
    browser.submit(theirs, theirs.forms[0])
    assert _stored(tmp_path)["slug"] == "shoal-of-acme"
    serving.says()


def test_a_stranger_cannot_register(hub: Hub, serving: ServingProgram, browser: Browser) -> None:
    """Without the token no page, without its state no callback; everything else says what is missing."""
    url = str(serving.says()["setup"]["url"])
    base = url.partition("/setup")[0]
    for wrong in ("", "?token=", "?token=guess"):
        page = browser.get(f"{base}/setup{wrong}")
        assert (page.status, page.forms) == (403, [])
    assert browser.get(f"{base}/setup/callback?code=abc&state=guess").status == 403
    assert httpx.post(f"{base}/webhook", trust_env=False).status_code == 503
    assert browser.get(f"{base}/healthz").status == 200
    assert hub.requests("POST", "conversions") == []


@pytest.mark.slow
def test_trouble_on_the_way_is_said_and_can_be_tried_again(
    hub: Hub, tmp_path: Path, serving: ServingProgram, browser: Browser
) -> None:
    """GitHub down: load the page again. An expired or used code: begin again. Nothing is stored before it is whole."""
    url = str(serving.says()["setup"]["url"])
    hub.fault("conversions", 502, method="POST")
    failed = registered(browser, url)
    assert (failed.status, "Load this page again" in failed.text) == (502, True)
    hub.set_clock(3601)
    expired = browser.get(failed.url)
    assert (expired.status, "older than an hour" in expired.text) == (502, True)
    hub.set_clock(0)
    assert not (tmp_path / "data/github-app/registration.json").exists()
    # The answer was lost after the effect: that App's key is gone for good, and the page says what to do.
    hub.fault("conversions", 502, method="POST", after_effect=True)
    browser.get(failed.url)
    assert "delete it there" in browser.get(failed.url).text
    page = browser.get(url)
    assert registered(browser, page.url).status == 200
    serving.says()


@pytest.mark.slow
def test_an_address_that_github_cannot_reach_is_refused_before_anything_is_asked(
    tmp_path: Path, place: dict[str, str], browser: Browser
) -> None:
    """For github.com a loopback address is no webhook's; the form appears when it is another."""
    running = ServingProgram(tmp_path, {name: value for name, value in place.items() if name != "SHOAL_GITHUB_URL"})
    try:
        page = browser.get(str(running.says()["setup"]["url"]))
        assert "GitHub cannot reach http://127.0.0.1" in page.text
        [change] = page.forms
        better = browser.submit(page, change, public_url="https://shoal.example.com/")
        assert better.forms[0].action.startswith("https://github.com/settings/apps/new?state=")
        asked = json.loads(better.forms[0].fields["manifest"])
        assert asked["hook_attributes"]["url"] == "https://shoal.example.com/webhook"
        assert asked["redirect_url"].startswith("http://127.0.0.1:")
        assert better.headers["content-security-policy"].endswith("form-action 'self' https://github.com")
        for field, value, words in (
            ("github_url", "http://ghe.example.com", "must begin with https"),
            ("github_url", "ftp://x", "GitHub&#39;s address is like"),
            ("organisation", "a/b", "no name of an organisation"),
            ("public_url", "https://a b", "Give the address"),
            ("name", "x" * 35, "1 to 34 characters"),
        ):
            assert words in browser.submit(better, better.forms[1], **{field: value}).text
    finally:
        assert running.end() == 0


def test_a_folder_that_cannot_be_written_stops_before_the_page(tmp_path: Path, place: dict[str, str]) -> None:
    """Exit 2 with the fix: a key that could not be kept would be lost."""
    (tmp_path / "file").write_text("")
    env = {**os.environ, **place, "SHOAL_WORK_DIR": str(tmp_path / "file")}
    argv = [sys.executable, "-I", "-m", "app", "serve"]
    ended = subprocess.run(argv, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, "SHOAL_WORK_DIR" in ended.stderr, "Traceback" in ended.stderr) == (2, True, False)


def _stored(folder: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads((folder / "data/github-app/registration.json").read_text())
    return found

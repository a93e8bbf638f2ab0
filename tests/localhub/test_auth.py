"""Who may do what: JWTs, installation tokens and people are checked as GitHub checks them."""

import subprocess
import sys
from pathlib import Path

import jwt
import pytest

from tests.localhub.conftest import Project
from tests.support.localhub import Hub, app_jwt

_HOUR = 3600


def _signed(project: Project, **claims: object) -> str:
    return jwt.encode({"iss": project.app.client_id, **claims}, project.app.private_key_pem, algorithm="RS256")


def test_an_app_proves_itself_by_its_key(project: Project) -> None:
    """A JWT by the App's own key opens the App's endpoints; the numeric id serves as issuer too."""
    assert project.jwt_client().get("/app").json()["slug"] == "shoal-app"
    by_number = {
        "iat": 0,
        "exp": jwt.decode(app_jwt(project.app), options={"verify_signature": False})["exp"],
        "iss": str(project.app.id),
    }
    assert project.hub.client(f"Bearer {_signed(project, **by_number)}").get("/app").status_code == 200


def test_a_jwt_of_another_key_is_refused(project: Project) -> None:
    """Somebody else's key does not make somebody the App."""
    stranger = project.hub.app("stranger")
    claims = jwt.decode(app_jwt(project.app), options={"verify_signature": False})
    forged = jwt.encode(claims, stranger.private_key_pem, algorithm="RS256")
    answer = project.hub.client(f"Bearer {forged}").get("/app")
    assert (answer.status_code, answer.json()["message"]) == (401, "A JSON web token could not be decoded")


@pytest.mark.parametrize(("life", "word"), [(-1, "future time"), (1200, "too far in the future")])
def test_a_jwt_lives_at_most_ten_minutes(project: Project, life: int, word: str) -> None:
    """Expired, or further ahead than ten minutes: refused, with the reason."""
    issued = jwt.decode(app_jwt(project.app), options={"verify_signature": False})["iat"]
    answer = project.hub.client(f"Bearer {_signed(project, iat=issued, exp=issued + 60 + life)}").get("/app")
    assert answer.status_code == 401
    assert word in answer.json()["message"]


def test_tokens_are_long_opaque_and_end_after_an_hour(project: Project) -> None:
    """Today's form with dots; at the end of the hour it is worth nothing."""
    client = project.app_client()
    token = client.headers["Authorization"].removeprefix("Bearer ")
    assert token.startswith("ghs_")
    assert "." in token
    assert len(token) > 200
    assert client.get("/installation/repositories").status_code == 200
    project.hub.set_clock(_HOUR + 1)
    assert client.get("/installation/repositories").json()["message"] == "Bad credentials"


def test_a_revoked_token_is_worth_nothing(project: Project) -> None:
    """DELETE /installation/token answers 204, and then everything answers 401."""
    client = project.app_client()
    assert client.delete("/installation/token").status_code == 204
    assert client.get(project.path).status_code == 401


def test_a_token_is_narrowed_to_permissions(project: Project) -> None:
    """What was not asked for is refused, reading is part of writing, metadata is always there."""
    project.maintainer.open_issue(project.name, "One")
    client = project.app_client(permissions={"issues": "write"})
    assert client.get(f"{project.path}/issues/1").status_code == 200
    assert client.get(project.path).status_code == 200
    refused = client.get(f"{project.path}/branches")
    assert (refused.status_code, refused.json()["message"]) == (403, "Resource not accessible by integration")


def test_a_token_cannot_be_wider_than_its_installation(project: Project) -> None:
    """Neither permissions nor repositories beyond the installation."""
    tokens = f"/app/installations/{project.installation_id}/access_tokens"
    for wider in ({"permissions": {"administration": "write"}}, {"repositories": ["elsewhere"]}):
        assert project.jwt_client().post(tokens, json=wider).status_code == 422


def test_a_token_sees_only_its_repositories(project: Project, tmp_path: Path) -> None:
    """A repository that the token does not cover does not exist for it."""
    project.hub.repository("acme/other", tmp_path / "widgets")
    installation = project.hub.install(project.app, "acme/widgets", "acme/other")
    answer = project.jwt_client().post(f"/app/installations/{installation}/access_tokens", json={"repositories": ["other"]})
    assert [row["name"] for row in answer.json()["repositories"]] == ["other"]
    client = project.hub.client(f"Bearer {answer.json()['token']}")
    assert client.get("/repos/acme/other").status_code == 200
    assert client.get("/repos/acme/widgets").status_code == 404


def test_a_person_needs_the_role(project: Project) -> None:
    """A passer-by may open an issue and comment, but neither label nor see what is private."""
    passer_by = project.hub.person("pat")
    passer_by.open_issue(project.name, "Please", labels=["shoal"])
    assert project.maintainer.get(f"{project.path}/issues/1")["labels"] == []
    assert passer_by.api.post(f"{project.path}/issues/1/labels", json={"labels": ["shoal"]}).status_code == 403
    assert passer_by.api.put(f"{project.path}/pulls/1/merge", json={}).status_code == 403


def test_permission_names_the_old_word_and_the_true_role(project: Project) -> None:
    """`maintain` shows as write and `triage` as read, with the true role beside it."""
    project.hub.person("tess", {project.name: "triage"})
    project.hub.person("pat")
    shown = {
        login: project.app_client().get(f"{project.path}/collaborators/{login}/permission").json()
        for login in ("mona", "tess", "pat")
    }
    assert {login: (row["permission"], row["role_name"]) for login, row in shown.items()} == {
        "mona": ("write", "maintain"),
        "tess": ("read", "triage"),
        "pat": ("read", "read"),
    }
    assert project.app_client().get(f"{project.path}/collaborators/nobody/permission").status_code == 404


def test_nothing_without_a_credential(hub: Hub) -> None:
    """No header and an unknown token are both 401."""
    assert hub.client("").get("/rate_limit").json()["message"] == "Requires authentication"
    assert hub.client("token ghp_unknown").get("/rate_limit").json()["message"] == "Bad credentials"


def test_it_listens_on_loopback_only(tmp_path: Path) -> None:
    """It has no defence against a network, so it refuses one, in one clear line."""
    argv = [sys.executable, "-I", "-m", "app.localhub", "--dir", str(tmp_path), "--host", "0.0.0.0"]
    ended = subprocess.run(argv, capture_output=True, text=True)
    assert ended.returncode == 2
    assert "not a loopback address" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1

"""Who a job is: tokens that this server signs for it, as GitHub's OIDC issuer does, at an Enterprise Server's address."""

import secrets
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.localhub.records import Repository, WorkflowRun
from app.localhub.state import State

PATH = "/_services/token"
_LIFE_SECONDS = 300


@dataclass
class Issuer:
    """Its key lasts as long as the folder; `rotate` makes another, and what the old one signed is worth nothing then."""

    state: State
    _runs: dict[str, int] = field(default_factory=dict)  # by the secret with which a job asks
    _key: Any = None

    @property
    def url(self) -> str:
        return f"{self.state.url}{PATH}"

    def admit(self, row: WorkflowRun) -> dict[str, str]:
        """What a job with `id-token: write` finds in its environment."""
        secret = secrets.token_urlsafe(32)
        self._runs[secret] = row.id
        return {"ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.url}/request?api-version=2.0", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": secret}

    def dismiss(self, row: WorkflowRun) -> None:
        """The job is over: it is nobody any more."""
        self._runs = {secret: run_id for secret, run_id in self._runs.items() if run_id != row.id}

    def token(self, where: Repository, row: WorkflowRun, audience: str, **other: Any) -> str:
        """Signed claims about a run; `other` replaces some, for stories of forgery."""
        now = int(self.state.now())
        ref = f"refs/heads/{row.head_branch}"
        workflow = f"{where.full_name}/{row.path}@{ref}"
        claims = {
            "iss": self.url,
            "aud": audience,
            "sub": f"repo:{where.full_name}:ref:{ref}",
            "jti": str(uuid.uuid4()),
            "iat": now,
            "nbf": now - 600,
            "exp": now + _LIFE_SECONDS,
            "repository": where.full_name,
            "repository_id": str(where.id),
            "repository_owner": where.owner,
            "repository_owner_id": str(where.owner_id),
            "repository_visibility": "private" if where.private else "public",
            "run_id": str(row.id),
            "run_number": str(row.number),
            "run_attempt": str(row.attempt),
            "workflow": row.workflow_name,
            "workflow_ref": workflow,
            "workflow_sha": row.head_sha,
            "job_workflow_ref": row.calls or workflow,
            "job_workflow_sha": row.head_sha,
            "ref": ref,
            "ref_type": "branch",
            "sha": row.head_sha,
            "head_ref": "",
            "base_ref": "",
            "event_name": row.event,
            "actor": self.state.accounts[row.actor_id].login,
            "actor_id": str(row.actor_id),
            "runner_environment": "self-hosted",
        }
        key = self._signing_key()
        return jwt.encode({**claims, **other}, key, algorithm="RS256", headers={"kid": self._key_id(key)})

    def rotate(self) -> None:
        self._file.unlink(missing_ok=True)
        self._key = None

    def routes(self) -> list[Route]:
        """Discovery, keys, and the address at which jobs ask; the first two also below an enterprise's name."""
        return [
            *(Route(f"{place}/.well-known/openid-configuration", self._discovery) for place in (PATH, f"{PATH}/{{enterprise}}")),
            *(Route(f"{place}/.well-known/jwks", self._keys) for place in (PATH, f"{PATH}/{{enterprise}}")),
            Route(f"{PATH}/request", self._request),
        ]

    async def _discovery(self, request: Request) -> Response:
        issuer = "/".join([self.url, *request.path_params.values()])
        return JSONResponse({"issuer": issuer, "jwks_uri": f"{issuer}/.well-known/jwks"})

    async def _keys(self, _request: Request) -> Response:
        with self.state.lock:
            key = self._signing_key()
        public = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
        return JSONResponse({"keys": [{**public, "kid": self._key_id(key), "use": "sig", "alg": "RS256"}]})

    async def _request(self, request: Request) -> Response:
        secret = request.headers.get("authorization", "").partition(" ")[2]
        with self.state.lock:
            row = self.state.workflow_runs.get(self._runs.get(secret, 0))
            if row is None:
                return JSONResponse({"message": "Bad credentials"}, 401)
            where = self.state.repositories[row.repository_id]
            audience = request.query_params.get("audience") or f"{self.state.url}/{where.owner}"
            return JSONResponse({"value": self.token(where, row, audience)})

    @property
    def _file(self) -> Path:
        return self.state.folder / "issuer.pem"

    def _signing_key(self) -> rsa.RSAPrivateKey:
        if self._key is None and self._file.exists():
            self._key = serialization.load_pem_private_key(self._file.read_bytes(), None)
        if self._key is None:
            self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
            self._file.touch(0o600)
            self._file.write_bytes(self._key.private_bytes(*form))
        key: rsa.RSAPrivateKey = self._key
        return key

    def _key_id(self, key: rsa.RSAPrivateKey) -> str:
        return f"{key.public_key().public_numbers().n % 2**64:016x}"

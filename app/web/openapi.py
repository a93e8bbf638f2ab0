"""The runner API's description, made of the very models and calls that serve it: for whoever writes a runner, and for fuzzing."""

from typing import Any

from pydantic.json_schema import models_json_schema

from app.web.runner_api import CALLS, Call
from shared.models import WIRE_VERSION

_REFS = "#/components/schemas/"
# What any call may be answered with beside its own answer.
_ERRORS = {
    400: "The body is not JSON",
    401: "The bearer token is not this attempt's secret",
    403: "The token does not prove that this is the attempt's job",
    409: "The attempt has no right to this (any more); the reason is told",
    413: "The body is too large",
    422: "The body is not what it must be; the field is named",
    426: "App and runner speak different versions",
    503: "Not now; come again after Retry-After",
}
_WITH_BODY = {400, 413, 422, 426}


def description() -> dict[str, Any]:
    """An OpenAPI 3.1 document."""
    shapes = [shape for call in CALLS for shape in (call.body, call.answer) if shape is not None]
    _, schemas = models_json_schema([(shape, "validation") for shape in shapes], ref_template=_REFS + "{model}")
    texts = {"Error": _object("error"), "Refusal": _object("reason"), "Done": {"type": "object", "maxProperties": 0}}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Shoal runner API",
            "version": str(WIRE_VERSION),
            "description": "What a WorkflowManager asks of the app. Every call is idempotent by the runner's nonce.",
        },
        "paths": {call.path: {"get" if call.body is None else "post": _operation(call)} for call in CALLS},
        "components": {
            "schemas": {**schemas["$defs"], **texts},
            "securitySchemes": {"secret": {"type": "http", "scheme": "bearer", "description": "The attempt's secret."}},
        },
    }


def _object(field: str) -> dict[str, Any]:
    return {"type": "object", "properties": {field: {"type": "string"}}, "required": [field]}


def _operation(call: Call) -> dict[str, Any]:
    attempt = {
        "name": "attempt_id",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "minLength": 1, "pattern": "^[^/]+$"},
    }
    own: dict[str, Any] = {
        "operationId": call.name,
        "summary": call.does,
        "parameters": [attempt],
        "responses": _responses(call),
        "security": [{"secret": []}] if call.needs_secret else [],
    }
    if call.body is not None:
        own["requestBody"] = {"required": True, "content": _json(call.body.__name__)}
    return own


def _responses(call: Call) -> dict[str, Any]:
    answer = call.answer.__name__ if call.answer else "Done"
    left_out = {403 if call.needs_secret else 401, *(() if call.body else _WITH_BODY)}
    errors = {str(code): text for code, text in _ERRORS.items() if code not in left_out}
    return {
        "200": {"description": "Done", "content": _json(answer)},
        **{code: {"description": text, "content": _json("Refusal" if code == "409" else "Error")} for code, text in errors.items()},
    }


def _json(schema: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _REFS + schema}}}

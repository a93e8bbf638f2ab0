"""Holds recorded exchanges with the embedded GitHub against a slice of GitHub's own OpenAPI description."""

import gzip
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import best_match
from referencing import Registry
from referencing.jsonschema import DRAFT202012

SLICE = Path(__file__).parent.parent / "contract" / "github-openapi-slice.json.gz"
_PREFIX = "/api/v3"
_DOCUMENT = "github"
# GitHub documents these refusals once for all endpoints, not with each one.
_REFUSALS = {400, 401, 403, 404, 422, 429, 500, 502, 503, 504}
_MULTI_SEGMENT = {"branch", "ref", "basehead", "path", "name"}
_FORMATS = FormatChecker(formats=())

Json = dict[str, Any]


@_FORMATS.checks("uri")
def _is_uri(value: object) -> bool:
    return not isinstance(value, str) or bool(urlparse(value).scheme)


@_FORMATS.checks("date-time", raises=ValueError)
def _is_moment(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@dataclass(frozen=True)
class Exchange:
    """One request and its answer; bodies as JSON values, None where there was none."""

    method: str
    path: str
    query: Mapping[str, str]
    request: Any
    status: int
    response: Any


def problems_of_file(recorded: Path) -> list[str]:
    """What is wrong in a recording, each problem once: method, path, status, field and message."""
    if not recorded.exists():
        return []
    with recorded.open(encoding="utf-8") as lines:
        return list(dict.fromkeys(problem for exchange in _exchanges(lines) for problem in problems(exchange)))


def problems(exchange: Exchange) -> Iterator[str]:
    """Every difference between one exchange and GitHub's description of it."""
    name = f"{exchange.method} {exchange.path} -> {exchange.status}"
    operation = _operation(exchange.method, exchange.path.removeprefix(_PREFIX))
    if operation is None:
        yield f"{name}: GitHub's description (our slice of it) has no such endpoint"
        return
    for problem in (*_request_problems(operation, exchange), *_response_problems(operation, exchange)):
        yield f"{name}: {problem}"


def _exchanges(lines: Iterable[str]) -> Iterator[Exchange]:
    for line in lines:
        entry = json.loads(line)
        sent = _parsed(entry["request"])
        yield Exchange(entry["method"], entry["path"], entry["query"], sent, entry["status"], entry["response"])


def _parsed(text: str) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text  # a test that sends nonsense; what is no JSON fits no schema


def _request_problems(operation: Json, exchange: Exchange) -> Iterator[str]:
    """A request that was refused may be wrong; one that was accepted may not."""
    if exchange.status >= 400:
        return
    known = {parameter["name"]: parameter for parameter in operation.get("parameters", ()) if parameter["in"] == "query"}
    for key, value in exchange.query.items():
        if key not in known:
            yield f"query: {key} is no parameter of this endpoint"
        else:
            schema = known[key]["schema"]
            yield from _differences(schema, _coerced(schema, value), f"query {key}")
    body = operation.get("requestBody")
    if body and (exchange.request is not None or body.get("required")):
        yield from _differences(body["content"]["application/json"]["schema"], exchange.request, "request")


def _response_problems(operation: Json, exchange: Exchange) -> Iterator[str]:
    documented = operation["responses"].get(str(exchange.status))
    if documented is None and exchange.status not in _REFUSALS:
        yield f"GitHub documents only {', '.join(operation['responses'])} here"
        return
    schema = _body_schema(documented) if documented is not None else {"$ref": "#/components/schemas/basic-error"}
    if schema is not None:
        yield from _differences(schema, exchange.response, "response")
    elif exchange.response is not None and exchange.status < 400:
        yield "response: a body where GitHub sends none"


def _body_schema(response: Json) -> Json | None:
    content = response.get("content", {}).get("application/json")
    found: Json | None = content["schema"] if content else None
    return found


def _differences(schema: Json, value: Any, where: str) -> Iterator[str]:
    for found in _validator(json.dumps(schema, sort_keys=True)).iter_errors(value):
        error = best_match([found]) or found  # inside an `anyOf`, the alternative that came closest
        field = "/".join(str(part) for part in error.absolute_path) or "(whole)"
        yield f"{where}: {field}: {_shortened(error.message)}"


def _shortened(message: str) -> str:
    """The offending value comes first and may be long; what is wrong with it comes last."""
    return message if len(message) <= 300 else f"{message[:100]} ... {message[-150:]}"


def _coerced(schema: Json, text: str) -> Any:
    if schema.get("type") == "integer" and text.lstrip("-").isdecimal():
        return int(text)
    if schema.get("type") == "boolean" and text in {"true", "false"}:
        return text == "true"
    return text


@lru_cache(maxsize=1)
def _document() -> Json:
    with gzip.open(SLICE, "rt", encoding="utf-8") as file:
        found: Json = json.load(file)
    installations = found["paths"]["/app/installations"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    account = installations["items"]["properties"]["account"]
    # The description's own slip: an account is a user or an enterprise (`anyOf`, as everywhere else in it), not both at once.
    account["anyOf"] = account.pop("allOf")
    modern: Json = _modern(found)
    return modern


def _modern(node: Any) -> Any:
    """OpenAPI 3.0 as JSON Schema 2020-12: `nullable` is the one difference that this slice has."""
    if isinstance(node, list):
        return [_modern(item) for item in node]
    if not isinstance(node, dict):
        return node
    new = {key: _modern(value) for key, value in node.items()}
    if new.get("nullable") is not True:
        return new
    del new["nullable"]
    return {"anyOf": [new, {"type": "null"}]}


@lru_cache(maxsize=1)
def _paths() -> list[tuple[re.Pattern[str], Json]]:
    """Most literal first, so that `/commits/{ref}/check-runs` goes before `/commits/{ref}`."""
    templates = sorted(_document()["paths"].items(), key=lambda item: -len(re.sub(r"\{\w+\}", "", item[0])))
    return [(_pattern(template), item) for template, item in templates]


def _pattern(template: str) -> re.Pattern[str]:
    def group(match: re.Match[str]) -> str:
        return ".*" if match[1] in _MULTI_SEGMENT else "[^/]+"

    return re.compile(re.sub(r"\{(\w+)\}", group, template))


def _operation(method: str, path: str) -> Json | None:
    """The description of one endpoint with its references resolved one level deep."""
    for pattern, item in _paths():
        if pattern.fullmatch(path) and method.lower() in item:
            operation = dict(item[method.lower()])
            operation["parameters"] = [_followed(part) for part in (*item.get("parameters", ()), *operation.get("parameters", ()))]
            operation["responses"] = {status: _followed(part) for status, part in operation["responses"].items()}
            return operation
    return None


def _followed(part: Json) -> Json:
    reference = part.get("$ref")
    if reference is None:
        return part
    _, _, kind, name = reference.split("/")
    found: Json = _document()["components"][kind][name]
    return found


@lru_cache(maxsize=1)
def _registry() -> Any:
    return Registry().with_resource(_DOCUMENT, DRAFT202012.create_resource(_document()))


@cache
def _validator(schema: str) -> Draft202012Validator:
    # References in the slice are relative to the whole document.
    absolute = json.loads(schema.replace('"#/components/', f'"{_DOCUMENT}#/components/'))
    return Draft202012Validator(absolute, registry=_registry(), format_checker=_FORMATS)

"""The contract check is worth something only if it finds what is wrong."""

import json
from pathlib import Path

import pytest

from scripts.rebuild_contract import cut
from tests.support.contract import Exchange, problems, problems_of_file

_LABEL = {"id": 1, "node_id": "LA_1", "url": "http://h/l", "name": "bug", "color": "ff0000", "default": False, "description": None}


def _labels(response: object, status: int = 200, **query: str) -> list[str]:
    return list(problems(Exchange("GET", "/api/v3/repos/o/r/labels", query, None, status, response)))


def test_a_right_answer_has_no_problem() -> None:
    """What GitHub describes passes, null where null is allowed."""
    assert _labels([_LABEL]) == []


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"color": None}, "response: 0/color: None is not of type 'string'"),
        ({"url": "no address"}, "response: 0/url: 'no address' is not a 'uri'"),
    ],
)
def test_a_wrong_field_is_named(change: dict[str, object], named: str) -> None:
    """Path, field and what is wrong with it."""
    assert _labels([{**_LABEL, **change}]) == [f"GET /api/v3/repos/o/r/labels -> 200: {named}"]


def test_a_missing_field_is_named() -> None:
    """A required property that is absent."""
    assert "'color' is a required property" in _labels([{key: value for key, value in _LABEL.items() if key != "color"}])[0]


def test_a_status_that_github_does_not_have_is_a_problem() -> None:
    """An endpoint that answers 200 must not be answered with 201, nor with a teapot."""
    assert "GitHub documents only 200, 404 here" in _labels([], status=201)[0]
    assert "GitHub documents only" in _labels({"message": "no"}, status=501)[0]


def test_an_unknown_query_parameter_is_a_problem() -> None:
    """A misspelt filter would be ignored by GitHub without a word."""
    assert "per_pag is no parameter" in _labels([], per_pag="3")[0]


def test_an_unknown_endpoint_is_a_problem() -> None:
    """Nobody may call what GitHub's description does not know."""
    assert "no such endpoint" in next(problems(Exchange("GET", "/api/v3/repos/o/r/labelz", {}, None, 200, [])))


def test_an_accepted_request_must_be_right() -> None:
    """A body that GitHub would refuse must not have been accepted; a refused one may be wrong."""
    path, wrong = "/api/v3/repos/o/r/issues/1/comments", {"text": "hello"}
    accepted = list(problems(Exchange("POST", path, {}, wrong, 201, None)))
    assert any("request: (whole): 'body' is a required property" in problem for problem in accepted)
    assert list(problems(Exchange("POST", path, {}, wrong, 422, {"message": "no", "documentation_url": "http://d"}))) == []


def test_a_recording_tells_each_problem_once(tmp_path: Path) -> None:
    """A poll that is wrong a hundred times is one problem."""
    entry = {"method": "GET", "path": "/api/v3/nothing", "query": {}, "request": "", "status": 200, "response": None}
    recording = tmp_path / "exchanges.jsonl"
    recording.write_text((json.dumps(entry) + "\n") * 100)
    assert len(problems_of_file(recording)) == 1


def test_a_slice_holds_what_its_paths_need_and_no_words() -> None:
    """Cutting follows references and drops descriptions, but no property that is called like one."""
    thing = {"description": "words", "properties": {"title": {"$ref": "#/components/schemas/text"}}}
    source = {
        "openapi": "3.0.3",
        "paths": {
            "/a": {
                "get": {"summary": "words", "responses": {"200": {"schema": {"$ref": "#/components/schemas/thing"}}}},
                "post": {},
            },
            "/b": {"get": {}},
        },
        "components": {"schemas": {"thing": thing, "text": {"type": "string", "example": "x"}, "other": {}}},
    }
    made = cut(source, {"/a": {"get"}}, "1.0.0")
    assert made["paths"] == {"/a": {"get": {"responses": {"200": {"schema": {"$ref": "#/components/schemas/thing"}}}}}}
    assert made["components"] == {
        "schemas": {"thing": {"properties": {"title": {"$ref": "#/components/schemas/text"}}}, "text": {"type": "string"}}
    }

"""Rebuilds the slice of GitHub's API description that the tests are held against, from a newer release of it.

    npm pack @octokit/openapi && tar xf octokit-openapi-*.tgz
    python -m scripts.rebuild_contract package

The paths (with their methods) are those of the present slice; `--add PATH` brings in further ones.
"""

import argparse
import gzip
import json
import re
import sys
from pathlib import Path
from typing import Any

SLICE = Path(__file__).parent.parent / "tests" / "contract" / "github-openapi-slice.json.gz"
_METHODS = {"get", "post", "put", "patch", "delete"}
# Words for people: shapes are all that a test compares, and without these the file is a twentieth of the size.
_WORDS = {"description", "summary", "example", "examples", "externalDocs", "tags", "x-github", "x-octokit", "title"}
_NAMED = {"properties", "schemas", "parameters", "responses", "headers", "paths", "mapping"}
_REFERENCE = re.compile(r"#/components/(\w+)/([\w.-]+)")

Json = dict[str, Any]


def main() -> int:
    """Writes the slice anew and says what it holds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("package", type=Path, help="the unpacked npm package @octokit/openapi")
    parser.add_argument("--add", action="append", default=[], metavar="PATH", help="a further path, all its methods")
    arguments = parser.parse_args()
    source = json.loads((arguments.package / "generated" / "api.github.com.json").read_text(encoding="utf-8"))
    version = json.loads((arguments.package / "package.json").read_text(encoding="utf-8"))["version"]
    with gzip.open(SLICE, "rt", encoding="utf-8") as file:
        present = json.load(file)["paths"]
    wanted = {path: _METHODS & item.keys() for path, item in present.items()} | dict.fromkeys(arguments.add, _METHODS)
    if missing := sorted(wanted.keys() - source["paths"].keys()):
        sys.stderr.write(f"release {version} has no {', '.join(missing)}: check for renamed paths\n")
        return 1
    made = cut(source, wanted, version)
    SLICE.write_bytes(gzip.compress(json.dumps(made, sort_keys=True, separators=(",", ":")).encode(), mtime=0))
    print(f"{SLICE}: {len(made['paths'])} paths, {len(made['components']['schemas'])} schemas of release {version}")
    return 0


def cut(source: Json, wanted: dict[str, set[str]], version: str) -> Json:
    """These paths and methods, and every component that they need."""
    paths: Json = {
        path: bare({name: part for name, part in source["paths"][path].items() if name in methods or name == "parameters"})
        for path, methods in wanted.items()
    }
    components: dict[str, Json] = {}
    waiting = set(_REFERENCE.findall(json.dumps(paths)))
    while waiting:
        kind, name = waiting.pop()
        if name not in components.setdefault(kind, {}):
            components[kind][name] = bare(source["components"][kind][name])
            waiting |= set(_REFERENCE.findall(json.dumps(components[kind][name])))
    info = {"license": {"name": "MIT"}, "title": "Slice of GitHub's OpenAPI description", "version": version}
    return {"openapi": source["openapi"], "info": info, "paths": paths, "components": components}


def bare(node: Any, *, named: bool = False) -> Any:
    """The same without words for people; a property that happens to be called `title` stays."""
    if isinstance(node, list):
        return [bare(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {key: value for key, value in node.items() if named or key not in _WORDS}
    return {key: bare(value, named=not named and key in _NAMED) for key, value in kept.items()}


if __name__ == "__main__":
    sys.exit(main())

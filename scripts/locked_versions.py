"""Checks that constraints.txt, which pip reads, names exactly the versions of uv.lock; needs no uv."""

import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent


def locked(lock: str) -> set[str]:
    """`name==version` of every package in a uv.lock but the project itself."""
    packages = tomllib.loads(lock)["package"]
    return {f"{package['name']}=={package['version']}" for package in packages if "editable" not in package["source"]}


def constrained(constraints: str) -> set[str]:
    """`name==version` of every line, without its marker."""
    lines = (line.split(";")[0].strip() for line in constraints.splitlines())
    return {line for line in lines if line and not line.startswith("#")}


def differences(lock: str, constraints: str) -> list[str]:
    """One line for each pair that only one of the two has."""
    ours, theirs = locked(lock), constrained(constraints)
    missing = [f"constraints.txt lacks {pair}, which uv.lock has" for pair in sorted(ours - theirs)]
    return missing + [f"constraints.txt has {pair}, which uv.lock has not" for pair in sorted(theirs - ours)]


def main() -> int:
    """Exit status 1 when the two differ."""
    wrong = differences((ROOT / "uv.lock").read_text("utf-8"), (ROOT / "constraints.txt").read_text("utf-8"))
    if wrong:
        print("\n".join([*wrong, "run `make lock` and commit both files"]), file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())

"""An agent for `command` that needs a model: a few lines of Python that ask it through the way which every attempt is given."""

from pathlib import Path

# Prints what the model says; ends as failed with the provider's words when it does not.
_ASK = """\
import json, os, sys, urllib.error, urllib.request
body = {"model": "claude-sonnet-4-5", "max_tokens": int(sys.argv[2]), "messages": [{"role": "user", "content": sys.argv[1]}]}
headers = {"content-type": "application/json", "x-api-key": os.environ["ANTHROPIC_API_KEY"]}
url = os.environ["ANTHROPIC_BASE_URL"] + "/v1/messages"
try:
    with urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), headers)) as answer:
        print("".join(part.get("text", "") for part in json.load(answer)["content"]))
except urllib.error.HTTPError as error:
    sys.exit(f"{error.code}: {error.read().decode()}")
"""


def asking(folder: Path) -> str:
    """The beginning of a shell command that asks; what is asked and the most tokens of the answer come behind it."""
    program = folder / "ask.py"
    program.write_text(_ASK, encoding="utf-8")
    return f"python3 -I -S {program}"

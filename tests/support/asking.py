"""An agent for `command` that needs a model: a shell function that asks it by the way which every attempt is given."""

# `ask PROMPT MOST_TOKENS` prints what the model says; it fails with the provider's words when the model says nothing.
ASK = """\
ask() {
python3 -I -S - "$@" <<'END'
import json, os, sys, urllib.error, urllib.request
body = {"model": "claude-sonnet-4-5", "max_tokens": int(sys.argv[2]), "messages": [{"role": "user", "content": sys.argv[1]}]}
headers = {"content-type": "application/json", "x-api-key": os.environ["ANTHROPIC_API_KEY"]}
url = os.environ["ANTHROPIC_BASE_URL"] + "/v1/messages"
try:
    with urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), headers)) as answer:
        print("".join(part.get("text", "") for part in json.load(answer)["content"]))
except urllib.error.HTTPError as error:
    sys.exit(f"{error.code}: {error.read().decode()}")
END
}
"""

"""`shoal operator`: a word to the running app."""

import httpx

from app import settings
from app.commands.console import print_json
from app.planning.capacity import LIMIT_NAMES
from app.report.status import Operation
from shared.errors import UserError

_MEANS = {
    "running": "new work starts",
    "paused": "nothing new starts until `shoal operator resume`",
    "draining": "nothing new starts until `shoal operator resume`, and /readyz says no once nothing runs",
}


def run(word: str, *, as_json: bool) -> int:
    """Exit status 0 when the app has answered."""
    loaded = settings.load()
    if loaded.operator_token is None:
        raise UserError("SHOAL_OPERATOR_TOKEN is not set: the app takes no word from anybody without it")
    host = "127.0.0.1" if loaded.host in {"0.0.0.0", "::"} else loaded.host  # noqa: S104 compared, not bound
    url = f"http://{host}:{loaded.port}/operator"
    headers = {"Authorization": f"Bearer {loaded.operator_token.get_secret_value()}"}
    try:
        with httpx.Client(headers=headers, timeout=30, trust_env=False) as client:
            answer = client.get(url) if word == "status" else client.post(f"{url}/{word}")
    except httpx.HTTPError as error:
        raise UserError(f"no app answers at {url} ({error}): start it, or set SHOAL_HOST and SHOAL_PORT as it has them") from error
    if answer.status_code != httpx.codes.OK:
        raise UserError(f"the app at {url} refused: {answer.status_code} {answer.text[:200]}")
    operation = Operation.model_validate_json(answer.content)
    if as_json:
        print_json(operation.model_dump_json())
    else:
        print(f"{operation.mode}: {_MEANS[operation.mode]}; {operation.running} at work{_binding(operation)}")  # noqa: T201 the result
    return 0


def _binding(operation: Operation) -> str:
    """Which limits tasks wait for, and why there are fewer slots than configured."""
    room = operation.room
    if room is None:
        return ""
    fewer = f"; {room.allowed} of {room.slots} slots allowed: {room.because}" if room.allowed < room.slots else ""
    waiting = ", ".join(f"{LIMIT_NAMES.get(name, name)} {count}" for name, count in sorted(room.waiting.items()))
    return fewer + (f"; waiting for {waiting}" if waiting else "")

"""`shoal simulate`: the scheduler on virtual time."""

from pathlib import Path

from pydantic import ValidationError

from app.commands.console import print_json, print_line, print_table, read_json
from app.planning.simulate import SimulateRequest, SimulateResult, simulate
from shared.errors import UserError


def run(file: Path, *, as_json: bool) -> int:
    """0, or 1 when there were tasks and none could run."""
    try:
        request = SimulateRequest.model_validate(read_json(file))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the document"
        form = 'give {"capacity": {"slots": 4}, "mode": "online" or "planned", "tasks": [{"id": "a", "duration": 5}]}'
        raise UserError(f"{file}: {place}: {first['msg']}; {form}") from error
    result = simulate(request)
    if as_json:
        print_json(result.model_dump_json(indent=2))
    else:
        _show(result)
    return 0 if result.starts or not request.tasks else 1


def _show(result: SimulateResult) -> None:
    order = sorted(result.starts, key=lambda name: (result.starts[name], name))
    print_table(
        "Schedule",
        ["Task", "Start", "Finish"],
        [(name, f"{result.starts[name]:g}", f"{result.finishes[name]:g}") for name in order],
    )
    print_table(
        "Problems", ["Task", "What", "Fix"], [(problem.task or "-", problem.what, problem.fix) for problem in result.problems]
    )
    faster = f", {result.speedup:.2f}x faster than one by one" if result.speedup is not None else ""
    print_line(f"Makespan {result.makespan:g}, lower bound {result.lower_bound:g}, sequential {result.sequential:g}{faster}.")

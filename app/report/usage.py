"""What a task used: model, money, processor, memory, bytes; only what was measured or told."""

from app.report.markdown import plain, table
from app.report.view import OrchestrationView, TaskView
from app.report.words import counted, duration, phase_name, phase_words
from shared.models import PhaseResult

NOTHING = "–"
_MOST_STAGES = 20
_WORTH_TELLING = 0.05  # seconds; less is the clock's noise


def cost_words(task: TaskView) -> str:
    """Such as `$0.12`, `unknown`, `$0.12 + unknown`; nothing where no model was asked."""
    known = f"${task.usage.cost_usd:.2f}" if task.usage.cost_usd is not None else ""
    return " + ".join(part for part in (known, "unknown" if task.cost_unknown else "") if part) or NOTHING


def usage_line(task: TaskView) -> str:
    """Calls, tokens and cost over all attempts; empty where no model was asked."""
    usage = task.usage
    if not (usage.turns or usage.input_tokens or usage.output_tokens):
        return f"Model: cost {cost_words(task)}" if task.cost_unknown or usage.cost_usd else ""
    cached = f" ({usage.cached_tokens:,} of them cached)" if usage.cached_tokens else ""
    tokens = f"{usage.input_tokens:,} tokens in{cached}, {usage.output_tokens:,} out"
    network = f", {amount(usage.network_bytes)} over the network" if usage.network_bytes else ""
    return f"Model: {counted(usage.turns, 'call')}, {tokens}{network}, cost {cost_words(task)}"


def spending_line(view: OrchestrationView) -> str:
    """The whole's cost, and how much of its budget that takes; empty where no model was asked and none is limited."""
    costs = [task.usage.cost_usd for task in view.tasks if task.usage.cost_usd is not None]
    unknown = sum(task.cost_unknown for task in view.tasks)
    if not costs and not unknown and view.budget_usd is None:
        return ""
    known = f"${sum(costs):.2f}" + (f" and unknown for {counted(unknown, 'task')}" if unknown else "")
    budget = f"; ${view.counted_usd:.2f} of the budget of ${view.budget_usd:.2f} used" if view.budget_usd is not None else ""
    return f"Cost: {known}{budget}"


def phase_table(task: TaskView) -> str:
    """Each phase with its time and what its processes took."""
    header = ("Phase", "Status", "Time", "Cores", "Memory mean / peak", "Read / written", "Reason")
    return table(header, [_row(phase) for phase in task.phases])


def stage_lines(task: TaskView) -> str:
    """What each phase's time went into, and what was there already; empty where no phase has stages."""
    return "\n".join(line for phase in task.phases if (line := _stages(phase)))


def _stages(phase: PhaseResult) -> str:
    words = [
        f"{plain(step.name, 80)} {duration(step.seconds)}{' (kept)' if step.cached else ''}" for step in phase.steps[:_MOST_STAGES]
    ]
    more = len(phase.steps) - len(words)
    words += [f"{more} more"] if more else []
    if phase.saved_seconds >= _WORTH_TELLING:
        words.append(f"{duration(phase.saved_seconds)} saved by running side by side")
    return f"- **{phase_name(phase.name)}**: {', '.join(words)}" if words else ""


def _row(phase: PhaseResult) -> tuple[str, ...]:
    cores = f"{phase.cpu_seconds / phase.seconds:.2f}" if phase.cpu_seconds and phase.seconds else NOTHING
    mean = f"{phase.memory_mib:.0f}" if phase.memory_mib else NOTHING
    memory = f"{mean} / {phase.peak_memory_mib:.0f} MiB" if phase.peak_memory_mib else NOTHING
    disk = f"{amount(phase.read_bytes)} / {amount(phase.written_bytes)}" if phase.read_bytes or phase.written_bytes else NOTHING
    return (phase_words(phase.name), phase.status, duration(phase.seconds), cores, memory, disk, plain(phase.reason) or NOTHING)


def amount(size: int) -> str:
    """Bytes as people say them, such as `3.4 MiB`."""
    if size < 1024:
        return f"{size} B"
    return f"{size / 2**10:.0f} KiB" if size < 2**20 else f"{size / 2**20:.1f} MiB" if size < 2**30 else f"{size / 2**30:.1f} GiB"

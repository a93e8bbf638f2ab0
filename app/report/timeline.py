"""A plan's schedule as a picture: SVG with one bar for each task, readable without colour and without scripts."""

from xml.sax.saxutils import escape

from shared.models import Plan

_LEFT, _TOP, _ROW, _WIDTH = 150, 40, 26, 720
_FILL = {"feature": "#2f6fbb", "bug": "#b5482f", "tests": "#3c8a4e", "docs": "#7a6a2f", "refactor": "#6a4a9c", "chore": "#5a6470"}
_TICKS = (1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 960)


def plan_svg(plan: Plan) -> str:
    """Every task from its predicted start to its predicted end, earliest first."""
    kinds = {task.issue: task.kind.value for task in plan.tasks}
    starts = plan.schedule.starts
    length = max(plan.schedule.makespan_minutes, 1e-9)
    scale = _WIDTH / length
    height = _TOP + _ROW * len(starts) + 30
    title = f"{len(starts)} tasks on {plan.schedule.slots} slots: {plan.schedule.makespan_minutes:.0f} minutes"
    box = f"0 0 {_LEFT + _WIDTH + 40} {height}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" role="img" font-family="sans-serif" font-size="13">',
        f"<title>{escape(title)}</title>",
        f'<text x="12" y="22" font-weight="bold">{escape(title)}</text>',
        *_grid(length, scale, height),
    ]
    for row, start in enumerate(starts):
        kind, y = kinds.get(start.issue, ""), _TOP + row * _ROW
        x, width = _LEFT + start.start_minutes * scale, max((start.finish_minutes - start.start_minutes) * scale, 2)
        words = f"#{start.issue}: minute {start.start_minutes:.0f} to {start.finish_minutes:.0f}"
        parts.append(f'<text x="12" y="{y + 17}">#{start.issue} {escape(kind)}</text>')
        box = f'x="{x:.1f}" y="{y + 4}" width="{width:.1f}" height="{_ROW - 8}" rx="3"'
        parts.append(f'<rect {box} fill="{_FILL.get(kind, "#5a6470")}"><title>{escape(words)}</title></rect>')
    return "\n".join([*parts, "</svg>", ""])


def _grid(length: float, scale: float, height: int) -> list[str]:
    step = next((tick for tick in _TICKS if length / tick <= 8), length / 8)
    lines = []
    for count in range(int(length / step) + 1):
        x = _LEFT + count * step * scale
        lines.append(f'<line x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{height - 22}" stroke="#c9d1d9"/>')
        lines.append(f'<text x="{x:.1f}" y="{height - 6}" text-anchor="middle" fill="#57606a">{count * step:.0f} min</text>')
    return lines

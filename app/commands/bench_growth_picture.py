"""How planning grows, as a picture: seconds by issues, a line for each size of repository, both axes logarithmic."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from math import ceil, floor, log10
from xml.sax.saxutils import escape

from app.commands.bench_growth import GrowthFigures

_LEFT, _TOP, _WIDTH, _HEIGHT, _KEY = 70, 50, 560, 320, 210
_COLOURS = ("#2f6fbb", "#b5482f", "#3c8a4e", "#6a4a9c")
_TITLE = "Seconds from git to the finished plan, by issues"


def growth_svg(rows: Sequence[GrowthFigures], machine: str) -> str:
    """Cold in full lines, cached in dashed ones; `machine` is what was measured on, in words."""
    axes = _Axes(rows)
    lines = [line for place, (files, of_size) in enumerate(_by_files(rows)) for line in _lines(place, files, of_size, axes)]
    box = f"0 0 {_LEFT + _WIDTH + _KEY} {_TOP + _HEIGHT + 60}"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" role="img" font-family="sans-serif" font-size="13">'
    words = [
        f"<title>{_TITLE}</title>",
        f"<desc>{escape('; '.join(map(_told, rows)))}</desc>",
        f'<text x="12" y="22" font-weight="bold">{_TITLE}</text>',
        f'<text x="12" y="{_TOP + _HEIGHT + 48}" fill="#57606a">{escape(machine)}</text>',
    ]
    return "\n".join([head, *words, *axes.grid(), *lines, "</svg>", ""])


class _Axes:
    """Where a number of issues and a number of seconds lie."""

    def __init__(self, rows: Sequence[GrowthFigures]) -> None:
        self._sizes = sorted({row["issues"] for row in rows})
        seconds = [max(row[kind], 0.001) for row in rows for kind in ("cold_seconds", "cached_seconds")]
        self._decades = range(floor(log10(min(seconds))), ceil(log10(max(seconds))) + 1)

    def x(self, issues: int) -> float:
        """Pixels from the left."""
        return _LEFT + _WIDTH * _share(issues, self._sizes[0], self._sizes[-1])

    def y(self, seconds: float) -> float:
        """Pixels from the top."""
        return _TOP + _HEIGHT * (1 - _share(max(seconds, 0.001), 10.0 ** self._decades[0], 10.0 ** self._decades[-1]))

    def grid(self) -> Iterator[str]:
        """A line for each power of ten seconds, a mark for each number of issues."""
        for decade in self._decades:
            y = self.y(10.0**decade)
            yield f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{_LEFT + _WIDTH}" y2="{y:.1f}" stroke="#c9d1d9"/>'
            yield f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end" fill="#57606a">{10.0**decade:g} s</text>'
        for size in self._sizes:
            place = f'x="{self.x(size):.1f}" y="{_TOP + _HEIGHT + 20}"'
            yield f'<text {place} text-anchor="middle" fill="#57606a">{size:,}</text>'


def _lines(place: int, files: int, rows: Sequence[GrowthFigures], axes: _Axes) -> Iterator[str]:
    colour = _COLOURS[place % len(_COLOURS)]
    for step, (kind, dash) in enumerate((("cold", ""), ("cached", ' stroke-dasharray="5 4"'))):
        points = " ".join(f"{axes.x(row['issues']):.1f},{axes.y(row[f'{kind}_seconds']):.1f}" for row in rows)  # type: ignore[literal-required]
        yield f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>'
        x, y = _LEFT + _WIDTH + 20, _TOP + 12 + 40 * place + 18 * step
        yield f'<line x1="{x}" y1="{y}" x2="{x + 28}" y2="{y}" stroke="{colour}" stroke-width="2"{dash}/>'
        yield f'<text x="{x + 36}" y="{y + 4}">{files:,} files, {kind}</text>'


def _told(row: GrowthFigures) -> str:
    return f"{row['issues']:,} issues on {row['files']:,} files: {row['cold_seconds']:g} s cold, {row['cached_seconds']:g} s cached"


def _by_files(rows: Sequence[GrowthFigures]) -> Iterator[tuple[int, list[GrowthFigures]]]:
    ordered = sorted(rows, key=lambda row: (row["files"], row["issues"]))
    for files, of_size in groupby(ordered, key=lambda row: row["files"]):
        yield files, list(of_size)


def _share(value: float, least: float, most: float) -> float:
    """How far along a logarithmic axis, 0 to 1."""
    return (log10(value) - log10(least)) / ((log10(most) - log10(least)) or 1.0)

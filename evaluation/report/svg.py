"""Small plots of lines and bars as SVG text, for a page without external files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

Range = tuple[float, float]
WIDTH, HEIGHT = 420, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 12, 30, 44
COLOURS = ("#1b6ca8", "#c8553d", "#5b8e3e", "#7a5195", "#555555")
_MOST_POINTS = 400


@dataclass
class Plot:
    """One plot. x_range, y_range: lowest and highest value; an empty range is widened."""

    title: str
    x_label: str
    y_label: str
    x_range: Range
    y_range: Range
    _marks: list[str] = field(default_factory=list)
    _legend: list[tuple[str, str]] = field(default_factory=list)

    def line(self, name: str, x: Sequence[float], y: Sequence[float], colour: str) -> None:
        """Add a line through points. Of a long line, only as many points are drawn as can be seen."""
        step = max(1, len(x) // _MOST_POINTS)
        kept = [*range(0, len(x), step), len(x) - 1]
        points = " ".join(f"{self._x(x[i]):.1f},{self._y(y[i]):.1f}" for i in kept)
        self._marks.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        self._legend.append((name, colour))

    def bars(self, name: str, edges: Sequence[float], counts: Sequence[float], colour: str) -> None:
        """Add one bar between each two edges."""
        floor = self._y(self.y_range[0])
        for left, right, count in zip(edges[:-1], edges[1:], counts, strict=True):
            x, top = self._x(left), self._y(count)
            self._marks.append(
                f'<rect x="{x:.1f}" y="{top:.1f}" width="{max(self._x(right) - x, 0.5):.1f}" '
                f'height="{floor - top:.1f}" fill="{colour}" fill-opacity="0.55"/>'
            )
        self._legend.append((name, colour))

    def upright(self, name: str, x: float, colour: str) -> None:
        """Add a dashed vertical line, such as a threshold."""
        at = f"{self._x(x):.1f}"
        self._marks.append(
            f'<line x1="{at}" x2="{at}" y1="{_TOP}" y2="{HEIGHT - _BOTTOM}" stroke="{colour}" '
            'stroke-width="1.5" stroke-dasharray="5 4"/>'
        )
        self._legend.append((name, colour))

    def svg(self) -> str:
        """The plot as SVG."""
        inner = [*self._axes(), *self._marks, *self._names()]
        return (
            f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" '
            f'aria-label="{escape(self.title)}" font-family="sans-serif" font-size="11">'
            f"{''.join(inner)}</svg>"
        )

    def _axes(self) -> list[str]:
        bottom, right = HEIGHT - _BOTTOM, WIDTH - _RIGHT
        marks = [
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
            f'<text x="{_LEFT}" y="18" font-size="13" font-weight="bold">{escape(self.title)}</text>',
            f'<text x="{(_LEFT + right) / 2}" y="{HEIGHT - 8}" text-anchor="middle">'
            f"{escape(self.x_label)}</text>",
            f'<text transform="translate(13 {(_TOP + bottom) / 2}) rotate(-90)" text-anchor="middle">'
            f"{escape(self.y_label)}</text>",
        ]
        for step in range(5):
            x = self.x_range[0] + step / 4 * (self.x_range[1] - self.x_range[0])
            y = self.y_range[0] + step / 4 * (self.y_range[1] - self.y_range[0])
            marks += [
                f'<line x1="{_LEFT}" x2="{right}" y1="{self._y(y):.1f}" y2="{self._y(y):.1f}" '
                'stroke="#dddddd"/>',
                f'<text x="{_LEFT - 5}" y="{self._y(y) + 4:.1f}" text-anchor="end">{y:.3g}</text>',
                f'<text x="{self._x(x):.1f}" y="{bottom + 15}" text-anchor="middle">{x:.3g}</text>',
            ]
        return marks

    def _names(self) -> list[str]:
        marks = []
        for number, (name, colour) in enumerate(self._legend):
            y = _TOP + 14 + 15 * number
            marks.append(
                f'<rect x="{WIDTH - 150}" y="{y - 8}" width="10" height="10" fill="{colour}"/>'
                f'<text x="{WIDTH - 136}" y="{y + 1}">{escape(name)}</text>'
            )
        return marks

    def _x(self, value: float) -> float:
        return _LEFT + _share(value, self.x_range) * (WIDTH - _LEFT - _RIGHT)

    def _y(self, value: float) -> float:
        return HEIGHT - _BOTTOM - _share(value, self.y_range) * (HEIGHT - _TOP - _BOTTOM)


def _share(value: float, of: Range) -> float:
    return min(max((value - of[0]) / max(of[1] - of[0], 1e-12), 0.0), 1.0)

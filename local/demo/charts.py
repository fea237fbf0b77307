"""F1 by number of labels, as a PNG file and as text for the terminal."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.demo.rounds import Score

HELD_OUT, WHOLE_TABLE = "evaluation, on held-out labels", "whole table, against the truth"
MAX_TEXT_WIDTH, TEXT_HEIGHT = 90, 16
LEGEND_SYMBOLS = {"hd": "▚", "braille": "⢕"}  # what plotext draws with each marker


@dataclass(frozen=True)
class Curve:
    """`points`: (number of labels, F1). `style` and `label_offset` (in points) are matplotlib's, `text_marker` plotext's."""

    name: str
    points: Sequence[tuple[int, float]]
    style: dict[str, Any]
    label_offset: tuple[int, int]
    text_marker: str


def save_png(scores: Sequence[Score], path: Path) -> None:
    import matplotlib as mpl  # noqa: PLC0415 - slow to import, and needed here only

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415 - after the backend is chosen

    figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
    for curve in _curves(scores):
        axes.plot([labels for labels, _ in curve.points], [f1 for _, f1 in curve.points], label=curve.name, **curve.style)
        for labels, f1 in curve.points:
            text, offset = f"{f1:.3f}", curve.label_offset
            axes.annotate(text, (labels, f1), textcoords="offset points", xytext=offset, ha="center", fontsize=8)
    axes.set(title="Glue Label Loop: F1 by number of labels", xlabel="labeled rows", ylabel="F1")
    axes.set_ylim(_y_minimum(scores), 1.01)
    axes.set_xlim(0, max(score.labels for score in scores) * 1.08)
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    figure.savefig(path, dpi=150)
    plt.close(figure)


def render_text(scores: Sequence[Score], width: int) -> str:
    import plotext  # noqa: PLC0415 - slow to import, and needed here only

    figure = plotext.figure
    figure.clear()
    figure.theme("colorless")
    figure.plot_size(min(width, MAX_TEXT_WIDTH), TEXT_HEIGHT)
    legend = []
    for curve in _curves(scores):
        labels, f1 = zip(*curve.points, strict=True)
        signal = figure.signal(list(labels), list(f1), marker=curve.text_marker)
        signal.lines()
        figure.draw(signal)
        legend.append(f"{LEGEND_SYMBOLS[curve.text_marker]} {curve.name}")
    figure.title("F1 by number of labels")
    figure.ruler("x").ticks([score.labels for score in scores])
    figure.ruler("y").lim(_y_minimum(scores), 1.0)
    figure.legend(active=False)  # plotext's own would cover the curves
    figure.label("labeled rows", "x")
    chart = str(plotext.uncolorize(str(figure.build())))
    return "\n".join([chart.rstrip(), f"      {'   '.join(legend)}"])


def _y_minimum(scores: Sequence[Score]) -> float:
    """Where the F1 axis begins: slightly below the lowest point, at most 0.9."""
    lowest = min(f1 for curve in _curves(scores) for _, f1 in curve.points)
    return max(0.0, min(lowest - 0.05, 0.9))


def _curves(scores: Sequence[Score]) -> list[Curve]:
    # The first curve is wide and pale, so that it stays visible where the second covers it.
    wide = {"marker": "o", "linewidth": 5, "markersize": 11, "alpha": 0.45}
    narrow = {"marker": "s", "linewidth": 1.5, "markersize": 6}
    curves = [Curve(HELD_OUT, [(score.labels, score.f1_held_out) for score in scores], wide, (0, -14), "hd")]
    whole_table = [(score.labels, score.f1_whole_table) for score in scores if score.f1_whole_table is not None]
    if whole_table:
        curves.append(Curve(WHOLE_TABLE, whole_table, narrow, (0, 7), "braille"))
    return curves

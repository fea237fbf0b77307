"""F1 by number of labels: a PNG, and the same in the terminal."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from local.demo.rounds import Score

TERMINAL_MARKERS, KEYS = {"o": "hd", "s": "braille"}, {"o": "▚", "s": "⢕"}
HELD_OUT, WHOLE = "evaluation, on held-out labels", "whole table, against the truth"


def save_png(scores: Sequence[Score], path: Path) -> None:
    import matplotlib as mpl  # noqa: PLC0415 - loads slowly; only this needs it

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415 - after the backend is chosen

    figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
    for name, points, marker in _curves(scores):
        # The first wide and pale, so that it shows where both curves are one.
        style: dict[str, Any] = (
            {"linewidth": 5, "markersize": 11, "alpha": 0.45} if marker == "o" else {"linewidth": 1.5, "markersize": 6}
        )
        axes.plot([labels for labels, _ in points], [f1 for _, f1 in points], marker=marker, label=name, **style)
        for labels, f1 in points:
            beside = (0, -14) if marker == "o" else (0, 7)
            axes.annotate(f"{f1:.3f}", (labels, f1), textcoords="offset points", xytext=beside, ha="center", fontsize=8)
    axes.set(title="Glue Label Loop: what labels buy", xlabel="labeled rows", ylabel="F1")
    axes.set_ylim(_lowest(scores), 1.01)
    axes.set_xlim(0, max(score.labels for score in scores) * 1.08)
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    figure.savefig(path, dpi=150)
    plt.close(figure)


def render_text(scores: Sequence[Score], width: int) -> str:
    import plotext  # noqa: PLC0415 - see above

    figure = plotext.figure
    figure.clear()
    figure.theme("colorless")
    figure.plot_size(min(width, 90), 16)
    key = []
    for name, points, marker in _curves(scores):
        line = figure.signal([labels for labels, _ in points], [f1 for _, f1 in points], marker=TERMINAL_MARKERS[marker])
        line.lines()
        figure.draw(line)
        key.append(f"{KEYS[marker]} {name}")
    figure.title("F1 by number of labels")
    figure.ruler("x").ticks([score.labels for score in scores])
    figure.ruler("y").lim(_lowest(scores), 1.0)
    figure.legend(active=False)  # it would cover the curves
    figure.label("labeled rows", "x")
    picture = str(plotext.uncolorize(str(figure.build())))
    return "\n".join([picture.rstrip(), f"      {'   '.join(key)}"])


def _lowest(scores: Sequence[Score]) -> float:
    """Where the F1 axis begins: a little below the lowest point, and never above 0.9."""
    lowest = min(f1 for _, points, _ in _curves(scores) for _, f1 in points)
    return max(0.0, min(lowest - 0.05, 0.9))


def _curves(scores: Sequence[Score]) -> list[tuple[str, list[tuple[int, float]], str]]:
    curves = [(HELD_OUT, [(score.labels, score.held_out) for score in scores], "o")]
    whole = [(score.labels, score.whole_table) for score in scores if score.whole_table is not None]
    return [*curves, (WHOLE, whole, "s")] if whole else curves

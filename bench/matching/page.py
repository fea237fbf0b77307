"""Writes the matching benchmark's tables into docs/performance.md, and draws its picture."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from bench.matching.results import OWN, Measurement, Quality, Scale, labeled_rows, quality_table, scale_table
from bench.performance_page import PAGE, put

PICTURE = PAGE.with_name("matching.png")
QUALITY = ("<!-- make bench-matching: quality -->", "<!-- end of quality -->")
SCALE = ("<!-- make bench-matching: scale -->", "<!-- end of scale -->")
_COLORS = {OWN: "#0b6e4f", "splink-any": "#4f6fae", "splink": "#4f6fae", "dedupe": "#c0504d"}


def write(
    quality: Sequence[Quality],
    scale: Sequence[Scale],
    now: datetime,
    page: Path = PAGE,
    picture: Path = PICTURE,
) -> None:
    """Write what was measured; a part that was not keeps its earlier text. Raises ValueError if the page lacks a marker."""
    text = page.read_text(encoding="utf-8")
    if quality:
        text = put(text, f"Measured on {now:%Y-%m-%d}.\n\n{quality_table(quality)}", QUALITY)
    if scale:
        text = put(text, f"Measured on {now:%Y-%m-%d}.\n\n{scale_table(scale)}", SCALE)
    page.write_text(text, encoding="utf-8")
    draw(quality, scale, picture)


def draw(quality: Sequence[Quality], scale: Sequence[Scale], picture: Path) -> None:
    """A panel per table: F1 by labeled rows, the peers as lines; then seconds and memory by rows."""
    import matplotlib as mpl  # noqa: PLC0415  slow to import, and only used here

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415  after its backend is chosen

    panels, columns = len(quality) + (2 if scale else 0), 4
    lines = max(1, -(-panels // columns))
    figure, axes = plt.subplots(lines, columns, figsize=(12, 2.2 * lines), squeeze=False)
    flat = list(axes.flat)
    after = labeled_rows(quality)
    places = range(len(after))
    for axis, result in zip(flat, quality, strict=False):
        axis.plot(places, [result.f1(count) for count in after], "o-", color=_COLORS[OWN], label="ours")
        for peer, measured in result.peers.items():
            if isinstance(measured, Measurement):
                axis.axhline(measured.f1, color=_COLORS[peer], linestyle="--", label=peer.removesuffix("-any"))
        axis.set_xticks(list(places), [f"{count:,}" for count in after])
        axis.set_ylim(0, 1.04)
        axis.set_title(result.table.removeprefix("synthetic "), fontsize=8, loc="left")
    if quality:
        flat[0].legend(fontsize=7)
    for axis, name in zip(flat[len(quality) :], ("seconds", "gigabytes"), strict=False):
        for matcher in dict.fromkeys(result.matcher for result in scale):
            runs = [(run.rows, run.result) for run in scale if run.matcher == matcher]
            points = [(rows, getattr(run, name)) for rows, run in runs if isinstance(run, Measurement)]
            axis.loglog(*zip(*points, strict=True), "o-", color=_COLORS[matcher], label=matcher) if points else None
        axis.set_title(f"{name} by rows", fontsize=8, loc="left")
        axis.legend(fontsize=7)
    for axis in flat[panels:]:
        axis.set_visible(False)
    for axis in flat:
        axis.tick_params(labelsize=7)
        axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(picture, dpi=110)
    plt.close(figure)

"""docs/performance.md's table and shares, between their markers, and its picture: the ratios, ours beside the peers'."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from textwrap import fill

from bench.builds import ROOT
from bench.rows import HEADING, PEERS, Row

PAGE = ROOT / "docs" / "performance.md"
PICTURE = ROOT / "docs" / "performance.png"
TABLE = ("<!-- make bench writes from here -->", "<!-- to here -->")
SHARES = ("<!-- make bench writes where the time goes -->", "<!-- as far as here -->")
_COLORS = {"ours": "#0b6e4f", **dict(zip(PEERS, ("#9aa0a6", "#c0504d", "#e0a09e", "#4f6fae", "#a4b4d6"), strict=True))}


def write(rows: Sequence[Row], shares: Sequence[str], now: datetime, page: Path = PAGE, picture: Path = PICTURE) -> None:
    """Put table and shares in their places, and draw the picture. Raises ValueError if the page has no such place."""
    page.write_text(put(put(page.read_text(), table(rows, now), TABLE), "\n\n".join(shares), SHARES))
    draw([row for row in rows if row.plotted and row.ours is not None], picture)


def put(text: str, told: str, place: tuple[str, str]) -> str:
    """`text` with `told` between the two markers of `place`. Raises ValueError if they are not there."""
    before, begin, rest = text.partition(place[0])
    _, end, after = rest.partition(place[1])
    if not begin or not end:
        raise ValueError(f"the page has no {' … '.join(place)}")
    return f"{before}{begin}\n{told}\n{end}{after}"


def table(rows: Sequence[Row], now: datetime) -> str:
    """The rows in Markdown; ours is bold, and says where the goal is not reached."""
    lines = [f"Measured on {now:%Y-%m-%d}.", "", _line(HEADING), _line(["---"] * len(HEADING))]
    for row in rows:
        what, goal, best, today, *peers = row.cells()
        missed = " (not reached)" if row.is_reached() is False else ""
        lines.append(_line([what, goal, best, f"**{today}**{missed}", *peers]))
    return "\n".join(lines)


def draw(rows: Sequence[Row], picture: Path) -> None:
    """A panel for each row, a bar for each package; the dashed line is 1, what the row is measured against."""
    if not rows:
        return
    import matplotlib as mpl  # noqa: PLC0415  slow to import, and most of this module does without

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415  after its backend is chosen

    across = 2
    figure, axes = plt.subplots(-(-len(rows) // across), across, figsize=(10, 2.0 * -(-len(rows) // across)), squeeze=False)
    for axis, row in zip(axes.flat, rows, strict=False):
        figures = {"ours": row.ours or 0.0, **{peer: row.peers[peer] for peer in PEERS if peer in row.peers}}
        bars = axis.barh(list(figures), list(figures.values()), color=[_COLORS[name] for name in figures])
        axis.bar_label(bars, fmt="%.2f", padding=3, fontsize=8)
        axis.axvline(1, color="black", linewidth=0.8, linestyle="--")
        axis.set_xlim(0, max([*figures.values(), 1]) * 1.15)
        axis.invert_yaxis()
        axis.set_title(fill(row.what, 64), fontsize=8.5, loc="left")
        axis.tick_params(labelsize=8)
        axis.spines[["top", "right"]].set_visible(False)
    for axis in axes.flat[len(rows) :]:
        axis.set_visible(False)
    figure.tight_layout()
    figure.savefig(picture, dpi=110)
    plt.close(figure)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"

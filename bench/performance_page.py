"""Writes docs/performance.md's table and CPU shares between their markers, and draws its picture of the ratios."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from textwrap import fill

from bench.builds import ROOT
from bench.rows import HEADING, PEERS, Row, reasons

PAGE = ROOT / "docs" / "performance.md"
PICTURE = ROOT / "docs" / "performance.png"
TABLE = ("<!-- make bench: table -->", "<!-- end of table -->")
SHARES = ("<!-- make bench: CPU shares -->", "<!-- end of CPU shares -->")
_COLORS = {"ours": "#0b6e4f", **dict(zip(PEERS, ("#9aa0a6", "#c0504d", "#e0a09e", "#4f6fae", "#a4b4d6"), strict=True))}


def write(rows: Sequence[Row], shares: Sequence[str], now: datetime, page: Path = PAGE, picture: Path = PICTURE) -> None:
    """Write the table and the shares, and draw the picture. Raises ValueError if the page lacks a marker."""
    text = put(page.read_text(), table(rows, now), TABLE)
    page.write_text(put(text, "\n\n".join(shares), SHARES))
    draw([row for row in rows if row.plotted and row.ours is not None], picture)


def put(text: str, content: str, markers: tuple[str, str]) -> str:
    """`text` with `content` between the two markers. Raises ValueError if they are missing."""
    before, begin, rest = text.partition(markers[0])
    _, end, after = rest.partition(markers[1])
    if not begin or not end:
        raise ValueError(f"the page has no {' … '.join(markers)}")
    return f"{before}{begin}\n{content}\n{end}{after}"


def table(rows: Sequence[Row], now: datetime) -> str:
    """The rows in Markdown: our figures bold, missed goals marked, figures that could not be measured as footnotes."""
    lines = [f"Measured on {now:%Y-%m-%d}.", "", _line(HEADING), _line(["---"] * len(HEADING))]
    notes = reasons(rows)
    for row in rows:
        footnote = f"<sup>{notes.index(row.missing) + 1}</sup>" if row.missing else ""
        label, goal, today, *peers = row.cells(footnote)
        ours = today if row.ours is None else f"**{today}**"
        missed = " (missed)" if row.meets_goal() is False else ""
        lines.append(_line([label, goal, f"{ours}{missed}", *peers]))
    for number, note in enumerate(notes, start=1):
        lines += ["", f"<sup>{number}</sup> Not measured on this machine: {' '.join(note.split())}."]
    return "\n".join(lines)


def draw(rows: Sequence[Row], picture: Path) -> None:
    """A panel per row with a bar per package. The dashed line is 1, the peer or limit that the row is a ratio to."""
    if not rows:
        return
    import matplotlib as mpl  # noqa: PLC0415  slow to import, and only used here

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415  after its backend is chosen

    columns = 2
    lines = -(-len(rows) // columns)
    figure, axes = plt.subplots(lines, columns, figsize=(10, 2.0 * lines), squeeze=False)
    for axis, row in zip(axes.flat, rows, strict=False):
        figures = {"ours": row.ours or 0.0, **{peer: row.peers[peer] for peer in PEERS if peer in row.peers}}
        bars = axis.barh(list(figures), list(figures.values()), color=[_COLORS[name] for name in figures])
        axis.bar_label(bars, fmt="%.2f", padding=3, fontsize=8)
        axis.axvline(1, color="black", linewidth=0.8, linestyle="--")
        axis.set_xlim(0, max([*figures.values(), 1]) * 1.15)
        axis.invert_yaxis()
        axis.set_title(fill(row.label, 64), fontsize=8.5, loc="left")
        axis.tick_params(labelsize=8)
        axis.spines[["top", "right"]].set_visible(False)
    for axis in axes.flat[len(rows) :]:
        axis.set_visible(False)
    figure.tight_layout()
    figure.savefig(picture, dpi=110)
    plt.close(figure)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"

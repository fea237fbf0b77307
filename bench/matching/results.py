"""What the matching benchmark measured, and its tables in Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import mean

OWN = "findmatches"


@dataclass(frozen=True)
class Measurement:
    """What one run took; `gigabytes` is the peak of resident memory, by the operating system's count (getrusage)."""

    seconds: float
    cpu: float
    gigabytes: float
    f1: float


@dataclass(frozen=True)
class Quality:
    """Pairwise F1 on one table: `curves`, one per seed, by labeled rows; a peer's run, or why there is none."""

    table: str
    rows: int
    curves: Sequence[dict[int, float]]
    peers: dict[str, Measurement | str] = field(default_factory=dict)

    def f1(self, labels: int) -> float:
        """The mean over the seeds."""
        return mean(curve[labels] for curve in self.curves)


@dataclass(frozen=True)
class Scale:
    """One matcher's run on synthetic people."""

    rows: int
    matcher: str
    result: Measurement | str


def labeled_rows(results: Sequence[Quality]) -> list[int]:
    """After how many labeled rows F1 was measured."""
    return sorted({count for result in results for curve in result.curves for count in curve})


def quality_table(results: Sequence[Quality]) -> str:
    """A row per table, and the mean of all tables; F1 0..1."""
    after = labeled_rows(results)
    peers = sorted({peer for result in results for peer in result.peers})
    heading = ["table", "rows", "seeds", *(f"{count:,} labels" for count in after), *(_PEER_HEADING[peer] for peer in peers)]
    lines = [_line(heading), _line(["---"] * len(heading))]
    for result in results:
        own = [f"{result.f1(count):.3f}" for count in after]
        theirs = [_f1_of(result.peers.get(peer)) for peer in peers]
        lines.append(_line([result.table, f"{result.rows:,}", str(len(result.curves)), *own, *theirs]))
    means = [f"**{mean(result.f1(count) for result in results):.3f}**" for count in after]
    return "\n".join([*lines, _line(["**mean**", "", "", *means, *([""] * len(peers))])])


def scale_table(results: Sequence[Scale]) -> str:
    """A row per run: time and memory, and both as a ratio to our own run on as many rows."""
    own = {result.rows: result.result for result in results if result.matcher == OWN}
    heading = ["rows", "matcher", "seconds", "CPU seconds", "GB", "F1", "time, to ours", "CPU, to ours", "memory, to ours"]
    lines = [_line(heading), _line(["---"] * len(heading))]
    for result in results:
        measured, ours = result.result, own.get(result.rows)
        if isinstance(measured, str):
            lines.append(_line([f"{result.rows:,}", result.matcher, measured, "", "", "", "", "", ""]))
            continue
        figures = [f"{measured.seconds:.1f}", f"{measured.cpu:.1f}", f"{measured.gigabytes:.2f}", f"{measured.f1:.4f}"]
        ratios = ["", "", ""]
        if isinstance(ours, Measurement):
            pairs = ((measured.seconds, ours.seconds), (measured.cpu, ours.cpu), (measured.gigabytes, ours.gigabytes))
            ratios = [f"{theirs / own_figure:.2f}" for theirs, own_figure in pairs]
        lines.append(_line([f"{result.rows:,}", result.matcher, *figures, *ratios]))
    return "\n".join(lines)


_PEER_HEADING = {"splink-any": "splink, best threshold", "dedupe": "dedupe, 50 + 50 pairs"}


def _f1_of(result: Measurement | str | None) -> str:
    if result is None:
        return "not run"
    return result if isinstance(result, str) else f"{result.f1:.3f}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"

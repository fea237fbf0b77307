"""The labeling sets of a label file: their sizes, and rows that are in one more than once.

A file may hold 1.7 million rows, whose texts would need 500 MB. So only hashes are kept of each row, 24 bytes, in buckets by
labeling set, which are examined one after another.
"""

from array import array
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from heapq import nsmallest
from operator import or_

MIN_ROWS, MAX_ROWS = 2, 50
MAX_NAMES = 10_000
MAX_LISTED = 20  # problems on sizes per bucket
_BUCKETS = 64
_BUCKET_MASK = _BUCKETS - 1
_FIELDS = 3  # per row: the hash of its set; that of its set and key; its line, with 31 bits of its label's hash above it
_LINE_BITS, _LINE_MASK, _LABEL_MASK = 32, 0xFFFF_FFFF, 0x7FFF_FFFF

Problem = tuple[int, str]


class LabelingSets:
    def __init__(self) -> None:
        self._buckets = [array("q") for _ in range(_BUCKETS)]
        self._names: dict[int, str] = {}
        self.unlisted = 0  # problems that are counted only, since there are many before them

    def add(self, lines: Sequence[int], set_ids: Sequence[str], keys: Sequence[object], labels: Sequence[str]) -> None:
        """`keys`: what tells a table's row from others. The same row twice in a set, with one label, counts once."""
        sets = list(map(hash, set_ids))
        if len(self._names) < MAX_NAMES:
            self._names.update(zip(sets, set_ids, strict=True))
        members = list(map(hash, zip(set_ids, keys, strict=True)))
        label_bits = [(hash(label) & _LABEL_MASK) << _LINE_BITS for label in labels]
        rows: Iterable[tuple[int, int, int]] = zip(sets, members, map(or_, label_bits, lines), strict=True)
        if len(set(members)) < len(members):  # identical rows once, by their first line
            first: dict[tuple[int, int], tuple[int, int, int]] = {}
            deque(map(first.setdefault, zip(members, label_bits, strict=True), rows), maxlen=0)
            rows = first.values()
        store = [bucket.extend for bucket in self._buckets]
        for row in rows:
            store[row[0] & _BUCKET_MASK](row)

    def problems(self) -> Iterator[Problem]:
        for bucket in self._buckets:
            sets, members, packed = (memoryview(bucket)[field::_FIELDS] for field in range(_FIELDS))
            if len(set(members)) == len(members):
                yield from self._size_problems(Counter(sets), sets, packed)
            else:
                yield from self._problems_with_repeated_rows(sets, members, packed)

    def _problems_with_repeated_rows(self, sets: memoryview, members: memoryview, packed: memoryview) -> Iterator[Problem]:
        first: dict[int, int] = {}
        sizes: Counter[int] = Counter()
        for in_set, member, own in sorted(zip(sets, members, packed, strict=True), key=lambda row: _line(row[2])):
            earlier = first.setdefault(member, own)
            if earlier == own:
                sizes[in_set] += 1
            elif earlier >> _LINE_BITS != own >> _LINE_BITS:
                yield _line(own), f"the same row has another label in line {_line(earlier)}, in the same labeling set"
        yield from self._size_problems(sizes, sets, packed)

    def _size_problems(self, sizes: Counter[int], sets: memoryview, packed: memoryview) -> Iterator[Problem]:
        wrong = {in_set for in_set, size in sizes.items() if not MIN_ROWS <= size <= MAX_ROWS}
        if not wrong:
            return
        first_lines: dict[int, int] = {}
        for in_set, own in zip(sets, packed, strict=True):
            if in_set in wrong:
                first_lines[in_set] = min(_line(own), first_lines.get(in_set, _LINE_MASK))
        listed = nsmallest(MAX_LISTED, ((line, in_set) for in_set, line in first_lines.items()))
        self.unlisted += len(first_lines) - len(listed)
        for line, in_set in listed:
            name = f"the labeling set {self._names[in_set][:50]!r}" if in_set in self._names else "its labeling set"
            rows = "1 row" if sizes[in_set] == 1 else f"{sizes[in_set]} rows"
            yield line, f"{name} has {rows}; {MIN_ROWS} to {MAX_ROWS} are allowed"


def _line(packed: int) -> int:
    return packed & _LINE_MASK

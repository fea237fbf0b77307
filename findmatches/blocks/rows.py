"""Some rows of a table in the form in which they are compared, as Python objects and as a block."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from findmatches.blocks.block import SEPARATOR, Block, pack_texts, unpack_texts

Hashes = NDArray[np.uint64]


@dataclass(frozen=True)
class Cells:
    """One column of `n` rows with `m` distinct values.

    `values[codes[row]]` is a row's normalized text, "" for a missing value; of a long text the excerpt that is compared.
    `hashes`, shape (m,), tells the whole values apart across parts; `numbers`, shape (m,), is their numeric value or their
    day, empty for text. `styles`, shape (n,), hashes how the raw value was written.
    """

    values: list[str]
    codes: NDArray[np.int32]
    hashes: Hashes
    numbers: NDArray[np.float64]
    styles: Hashes

    def take(self, rows: NDArray[np.int64]) -> "Cells":
        """The given rows, with the values that occur there."""
        used, codes = np.unique(self.codes[rows], return_inverse=True)
        values = [self.values[code] for code in used.tolist()]
        numbers = self.numbers[used] if len(self.numbers) else self.numbers
        return Cells(values, codes.ravel().astype(np.int32), self.hashes[used], numbers, self.styles[rows])


@dataclass(frozen=True)
class Rows:
    """Some rows, by their ascending `numbers`, shape (n,); one `Cells` per column."""

    numbers: NDArray[np.int64]
    columns: tuple[Cells, ...]

    def __len__(self) -> int:
        return len(self.numbers)

    def take(self, places: NDArray[np.int64]) -> "Rows":
        """The rows at the given places."""
        return Rows(self.numbers[places], tuple(cells.take(places) for cells in self.columns))

    def texts(self, columns: Sequence[int]) -> list[str]:
        """Each row's values in these columns as one text."""
        if not columns:
            return [""] * len(self)
        by_column = [map(self.columns[place].values.__getitem__, self.columns[place].codes.tolist()) for place in columns]
        # One long text with a separator after each row: the blanks around missing values go all at once.
        joined = SEPARATOR.join(map(" ".join, zip(*by_column, strict=True)))
        while "  " in joined:
            joined = joined.replace("  ", " ")
        joined = joined.replace(f" {SEPARATOR}", SEPARATOR).replace(f"{SEPARATOR} ", SEPARATOR)
        return joined.strip(" ").split(SEPARATOR) if len(self) else []

    def block(self) -> Block:
        """As a block, which `opened` turns back into rows."""
        block: Block = {"numbers": self.numbers}
        for place, cells in enumerate(self.columns):
            block |= pack_texts(f"{place}", cells.values)
            block |= {
                f"{place}.codes": cells.codes,
                f"{place}.hashes": cells.hashes,
                f"{place}.numbers": cells.numbers,
                f"{place}.styles": cells.styles,
            }
        return block


def opened(block: Block) -> Rows:
    """The rows of a block."""
    columns = sum(name.endswith(".codes") for name in block)
    return Rows(block["numbers"], tuple(_opened_cells(block, str(place)) for place in range(columns)))


def _opened_cells(block: Block, name: str) -> Cells:
    values = unpack_texts(name, block)
    return Cells(values, block[f"{name}.codes"], block[f"{name}.hashes"], block[f"{name}.numbers"], block[f"{name}.styles"])


def united(parts: Sequence[Rows]) -> Rows:
    """The rows of all parts in ascending order; every row is in one part only."""
    if len(parts) == 1:
        return parts[0]
    numbers = np.concatenate([rows.numbers for rows in parts])
    order = np.argsort(numbers)
    columns = []
    for cells in zip(*(rows.columns for rows in parts), strict=True):
        hashes = np.concatenate([part.hashes for part in cells])
        texts = [value for part in cells for value in part.values]
        # Equal values of several parts become one, told by their hashes.
        distinct, first, code_of = np.unique(hashes, return_index=True, return_inverse=True)
        offsets = np.cumsum([0, *(len(part.values) for part in cells)])[:-1]
        codes = np.concatenate([code_of.ravel()[part.codes + offset] for part, offset in zip(cells, offsets, strict=True)])
        values = [texts[place] for place in first.tolist()]
        all_numbers = np.concatenate([part.numbers for part in cells])
        of_values = all_numbers[first] if len(all_numbers) else all_numbers
        styles = np.concatenate([part.styles for part in cells])[order]
        columns.append(Cells(values, codes[order].astype(np.int32), distinct, of_values, styles))
    return Rows(numbers[order], tuple(columns))

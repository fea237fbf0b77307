"""Blocks and facts in files, which every process maps into its memory."""

import pickle
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from findmatches.blocks.block import Block, Sent

# Per array its name, type, shape and where it begins in the file, in bytes; as JSON can carry it.
Layout = list[tuple[str, str, list[int], int]]
# Per block the part that it goes to, its kind and its layout.
Index = list[tuple[int, str, Layout]]

_ALIGNMENT = 64


def write_blocks(path: Path, sent: Iterable[Sent]) -> Index:
    """Writes the blocks one after another into a new file; what is where. No file if there is no block."""
    index: Index = []
    file = None
    for part, kind, block in sent:
        file = file or path.open("xb")
        layout: Layout = []
        for name, array in block.items():
            file.write(bytes(-file.tell() % _ALIGNMENT))
            layout.append((name, array.dtype.str, list(array.shape), file.tell()))
            file.write(np.ascontiguousarray(array).data)
        index.append((part, kind, layout))
    if file:
        file.close()
    return index


def mapped(path: Path) -> NDArray[np.uint8]:
    """The file's bytes, read from disk only where they are used."""
    size = path.stat().st_size
    return np.memmap(path, np.uint8, "r") if size else np.zeros(0, np.uint8)


def block_in(contents: NDArray[np.uint8], layout: Layout) -> Block:
    """One block of a mapped file."""
    block = {}
    for name, dtype, shape, start in layout:
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        block[name] = np.asarray(contents[start : start + size]).view(dtype).reshape(shape)
    return block


def write_facts(path: Path, facts: Mapping[str, Any]) -> Layout:
    """Writes facts such that `read_facts` maps their arrays instead of loading them."""
    buffers: list[pickle.PickleBuffer] = []
    pickled = pickle.dumps(dict(facts), protocol=5, buffer_callback=buffers.append)
    arrays = [np.frombuffer(buffer.raw(), np.uint8) for buffer in buffers]
    block = {str(number): array for number, array in enumerate([np.frombuffer(pickled, np.uint8), *arrays])}
    ((_, _, layout),) = write_blocks(path, [(0, "facts", block)])
    return layout


def read_facts(path: Path, layout: Layout) -> dict[str, Any]:
    """What `write_facts` wrote."""
    pickled, *buffers = block_in(mapped(path), layout).values()
    facts: dict[str, Any] = pickle.loads(pickled.tobytes(), buffers=buffers)  # noqa: S301 - our own file, in a private folder
    return facts

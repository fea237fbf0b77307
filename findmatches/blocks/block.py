"""A block: a few numpy arrays under names. All that moves between stages is blocks."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Block = dict[str, Array]
# The blocks that arrived at one part, by kind; several of one kind arrive in any order.
Blocks = Mapping[str, Sequence[Block]]
# What every part knows: figures, settings, models and whole-table counts, by name.
Facts = Mapping[str, Any]
# A block, its kind, and the part it goes to.
Sent = tuple[int, str, Block]
Function = Callable[[int, Blocks, Facts], Iterable[Sent]]

# Blocks for this part go to the process that runs the plan.
DRIVER = -1

SEPARATOR = "\x1f"  # ASCII's unit separator; normalized texts never contain it


@dataclass(frozen=True)
class Stage:
    """A pure function over the blocks of one part, and the kinds of blocks that it gets.

    Blocks of a kind in `reads` stay for later stages, those in `consumes` are gone afterwards.
    """

    name: str
    function: Function
    consumes: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()


def routed(to: NDArray[np.int64], kind: str, block: Block, parts: int) -> Iterator[Sent]:
    """The block's items, first axis, each to its part: one block per part that gets any, their order kept."""
    if parts == 1:
        if len(to):
            yield 0, kind, block
        return
    order = np.argsort(to, kind="stable")
    edges = np.searchsorted(to[order], np.arange(parts + 1))
    for part in range(parts):
        chosen = order[edges[part] : edges[part + 1]]
        if len(chosen):
            yield part, kind, {name: array[chosen] for name, array in block.items()}


def joined(blocks: Sequence[Block], empty: Block) -> Block:
    """The items of all blocks; `empty` tells names and types where there is none."""
    if len(blocks) == 1:
        return blocks[0]
    return {name: np.concatenate([array, *(block[name] for block in blocks)]) for name, array in empty.items()}


def distinct_keys(keys: Array) -> Array:
    """The keys, each once and sorted. Quicker than numpy's `unique`, which hashes whole numbers first."""
    ordered = np.sort(keys)
    distinct: Array = ordered[np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)]]
    return distinct


def pack_texts(name: str, texts: Sequence[str]) -> Block:
    """Texts as two arrays: their UTF-8 bytes, one separator between them, and the length of each in characters."""
    encoded = SEPARATOR.join(texts).encode("utf-8", "surrogatepass")
    return {f"{name}.text": np.frombuffer(encoded, np.uint8), f"{name}.length": lengths_of(texts)}


def unpack_texts(name: str, block: Block) -> list[str]:
    """What `pack_texts` packed."""
    lengths = block[f"{name}.length"]
    packed = block[f"{name}.text"].tobytes().decode("utf-8", "surrogatepass")
    texts = packed.split(SEPARATOR) if len(lengths) else []
    if len(texts) == len(lengths):
        return texts
    ends = np.cumsum(lengths + 1) - 1  # a text contains the separator
    return [packed[start:end] for start, end in zip((ends - lengths).tolist(), ends.tolist(), strict=True)]


def lengths_of(texts: Sequence[str]) -> NDArray[np.int64]:
    """The length of each text in characters."""
    return np.fromiter(map(len, texts), np.int64, len(texts))

"""Faults that the service once had, put back into the source one by one."""

from collections.abc import Iterator

from tests.simulation.mutants import Mutant


def past_faults() -> Iterator[Mutant]:
    yield from ()

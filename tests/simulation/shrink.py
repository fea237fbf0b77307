"""Make a failing schedule smaller: leave choices out, or make them harmless, as long as the same promise breaks."""

from collections.abc import Callable, Sequence

MAX_ATTEMPTS = 2000


def shrink(choices: Sequence[int], still_fails: Callable[[Sequence[int]], bool]) -> list[int]:
    """A shorter list of choices that `still_fails`: blocks of choices first, then smaller ones.

    Delta debugging: Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002.
    """
    attempts = 0
    smallest = list(choices)

    def attempt(candidate: list[int]) -> bool:
        nonlocal attempts, smallest
        if attempts >= MAX_ATTEMPTS or candidate == smallest:
            return False
        attempts += 1
        if not still_fails(candidate):
            return False
        smallest = candidate
        return True

    block = max(1, len(smallest) // 2)
    while block:
        position = 0
        while position < len(smallest):
            without = smallest[:position] + smallest[position + block :]
            harmless = smallest[:position] + [0] * block + smallest[position + block :]
            if (not attempt(without) and not attempt(harmless)) or smallest != without:
                position += block
        block //= 2
    return smallest

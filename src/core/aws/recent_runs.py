"""The ids of runs that this process has recently seen in the ledger."""

from collections import OrderedDict

_MAX_IDS = 1000


class RecentRuns:
    """The ids of the latest 1,000 runs; a hint only, as other processes may have deleted them.

    A request for one of these runs is most likely a replay. To read the run takes two thirds of the work of a write whose
    condition fails, and one read unit instead of two items' write units. It also leaves the transform's queue alone, where such
    a write would make the writes of others fail.
    """

    def __init__(self) -> None:
        self._ids: OrderedDict[str, None] = OrderedDict()

    def __contains__(self, run_id: str) -> bool:
        return run_id in self._ids

    def add(self, run_id: str) -> None:
        self._ids[run_id] = None
        if len(self._ids) > _MAX_IDS:
            self._ids.popitem(last=False)

    def discard(self, run_id: str) -> None:
        self._ids.pop(run_id, None)

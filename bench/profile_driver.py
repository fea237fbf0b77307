"""`python profile_driver.py RESULT HANDLER STARTS REPLAYS EVENT`: bench/driver.py under cProfile, counting CPU time only."""

import sys
from cProfile import Profile
from pathlib import Path
from time import process_time

from driver import main  # type: ignore[import-not-found]  # beside this file, where Python looks for it

if __name__ == "__main__":
    _, result, handler, starts, replays, event = sys.argv
    profile = Profile(process_time)
    profile.runcall(main, handler, int(starts), int(replays), Path(event))
    profile.dump_stats(result)

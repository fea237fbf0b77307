"""`python profiled.py RESULT HANDLER STARTS REPLAYS EVENT`: bench/driver.py under cProfile, which counts CPU and no waiting."""

import sys
from cProfile import Profile
from pathlib import Path
from time import process_time

from driver import main  # type: ignore[import-not-found]  # beside this file, where Python looks for it

if __name__ == "__main__":
    profile = Profile(process_time)
    profile.runcall(main, sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), Path(sys.argv[5]))
    profile.dump_stats(sys.argv[1])

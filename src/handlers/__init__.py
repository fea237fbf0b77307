"""The doors: AWS event in, call core, AWS answer out."""

from handlers import starting

starting.begun()  # before the imports of any door

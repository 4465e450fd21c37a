"""Imported last by the process that workers are forked from: what it has imported is never garbage."""

import gc

# No worker looks through it, which would take its time and copy its memory.
gc.freeze()
gc.enable()

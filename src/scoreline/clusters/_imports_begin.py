"""Imported first by the process that workers are forked from, which can be told nothing but what to import."""

import gc
import os

from scoreline.clusters._given_to_workers import DRIVER
from scoreline.clusters._mortal import end_with_parent

end_with_parent()
if os.environ.get(DRIVER, str(os.getppid())) != str(os.getppid()):
    # The driver died before it could be asked for.
    os._exit(1)
# See `scoreline.garbage`; the last import ends it.
gc.disable()

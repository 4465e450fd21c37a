"""Imported first by the process that workers are forked from, which can be told nothing but what to import."""

import gc

from scoreline.clusters._mortal import end_with_parent

end_with_parent()
# See `scoreline.garbage`; the last import ends it.
gc.disable()

"""Imported by the process that workers are forked from, which can be told nothing but what to import: ends with us."""

from scoreline.clusters._mortal import end_with_parent

end_with_parent()

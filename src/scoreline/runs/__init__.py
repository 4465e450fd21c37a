"""What a run leaves behind, and what it says while it runs."""

from scoreline.runs.folder import RunFolder, find_run, new_run_id
from scoreline.runs.journal import Journal

__all__ = ["Journal", "RunFolder", "find_run", "new_run_id"]

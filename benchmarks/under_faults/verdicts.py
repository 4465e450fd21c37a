"""What a reader's counts mean: the old version, the new one, or how what is there is neither."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.under_faults.contenders import ROWS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.under_faults.contenders import Contender

OLD, NEW, UNREADABLE, WRONG = "old", "new", "unreadable", "wrong"


def verdict(contender: Contender, found: Mapping[str, Any]) -> dict[str, Any]:
    """The state, and for a wrong one: rows that are missing or there twice, and whether two versions are mixed."""
    if "error" in found:
        return {"state": UNREADABLE, "error": found["error"]}
    rows, keys = found["old_rows"] + found["new_rows"], found["keys"]
    fits_old = found["old_keys"] == ROWS and found["new_rows"] == 0
    fits_new = found["new_keys"] == ROWS and found["old_rows"] == (ROWS if contender.appends else 0)
    if rows == keys and (fits_old or fits_new):
        return {"state": NEW if fits_new else OLD}
    return {
        "state": WRONG,
        "missing": _missing(contender, found),
        "doubled": rows - keys,
        "mixed": not contender.appends and bool(found["old_rows"] and found["new_rows"]),
    }


def _missing(contender: Contender, found: Mapping[str, Any]) -> int:
    """Rows short of the nearest whole version."""
    if not contender.appends:
        return ROWS - int(found["keys"])
    return ROWS - int(found["old_keys"]) + (ROWS - int(found["new_keys"]) if found["new_rows"] else 0)

"""The end of the process, without freeing all that it holds one by one: that takes half a second, and serves nobody."""

from __future__ import annotations

import atexit
import os
import signal
import sys


class Ending:
    """Ends the process with a code, once it is given one and Python has done all else that is due at the end.

    What was registered before this is not called, so this comes first of all.
    """

    code: int | None = None
    """None: Python ends as ever."""

    def __init__(self) -> None:
        # Python joins threads first, then calls what was registered, the last one first.
        atexit.register(self._end)

    def take(self, code: object) -> None:
        """Take the code of a SystemExit; texts are left for Python to print."""
        if code is None or isinstance(code, int):
            self.code = code or 0
            # All is done and told; what is still due at the end takes no time, and should not end in a traceback.
            signal.signal(signal.SIGINT, signal.SIG_IGN)

    def _end(self) -> None:
        if self.code is None:
            return
        try:
            for stream in (sys.stdout, sys.stderr):
                if stream is not None:
                    stream.flush()
        except (OSError, ValueError):
            # Nobody reads on; Python knows how to tell.
            return
        os._exit(self.code)

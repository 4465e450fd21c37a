"""The published data set: exactly once, on plain files that are created at most once and never changed.

Beside the data set at ``URI`` lies ``URI.store``. A run, named by its score_key, goes through these steps, and may be
killed between any two of them, driven again, or driven by several drivers at once:

1. `plans`: ``plans/<key>.json`` says what the run scores.
2. `unit_file`: each task creates the file of its unit, and that of its refused rows, under names that follow from the
   key; then `receipts`: ``receipts/<key>/<unit>.json``, the account of the unit's rows.
3. `publication`: once every unit has a receipt, ``manifests/<key>.ndjson`` lists them, the listing of the run's folder
   is compared with it, and ``commits/<N+1>.json`` is created: from then on the run is published, whatever happens.
4. `versions`: readers are led to it, locally by a symbolic link to a folder of hard links, everywhere by
   ``latest.json``. Both only say where the commit is, and every later command puts them right.

A commit names whole runs: with ``append`` those of the version before and one more (`increments`). `collection` is the
only place that deletes, and only when it is asked to; `verification` reads everything back.
"""

"""One answer of the object store that gets lost: what the program says, and what is true."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from benchmarks.under_faults.kills import Running, again
from benchmarks.under_faults.verdicts import verdict

if TYPE_CHECKING:
    from tests.seaweedfs import SeaweedFS

    from benchmarks.s3_server import ChoosyProxy
    from benchmarks.under_faults.contenders import Stand


@dataclass
class LostAnswers:
    """Trials of one contender on S3, each in a prefix of its own that begins as a copy of the same old version."""

    stand: Stand
    server: SeaweedFS
    proxy: ChoosyProxy
    bucket: str

    def prepare(self) -> None:
        """Make the old version."""
        running = Running(self._at("kept"), "old")
        if running.end():
            raise RuntimeError(running.output[-2000:])

    def trial(self, number: int, path: str) -> dict[str, Any]:
        """Lose the answer to the first PUT of a path that holds `path`; see `again` for what follows."""
        place = f"{path.strip('/').replace('.', '')}-{number}"
        self._copy(place)
        stand = self._at(place)
        self.proxy.chosen, self.proxy.lost = (path,), []
        start = time.perf_counter()
        through_proxy = {**stand.environment, "AWS_ENDPOINT_URL": self.proxy.endpoint}
        running = Running(replace(stand, environment=through_proxy), "new")
        code = running.end()
        lost, seconds, self.proxy.chosen = bool(self.proxy.lost), time.perf_counter() - start, ()
        found = verdict(stand.contender, stand.read())
        said = running.output.splitlines()[-3:] if code else []
        told = {"code": code, "found": found, "seconds": round(seconds, 2), "said": said}
        return {"lost": lost, **told, **again(stand, code, found)}

    def _at(self, place: str) -> Stand:
        """The stand with its target at a place of the bucket, on the server itself."""
        target = f"s3://{self.bucket}/{self.stand.folder.name}/{place}/out"
        return replace(self.stand, target=target, environment=self.server.env())

    def _copy(self, place: str) -> None:
        client, start = self.server.client(), f"{self.stand.folder.name}/kept/"
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=start)
        keys = [found["Key"] for page in pages for found in page.get("Contents", ())]

        def copy(key: str) -> None:
            target = f"{self.stand.folder.name}/{place}/{key.removeprefix(start)}"
            client.copy_object(Bucket=self.bucket, Key=target, CopySource={"Bucket": self.bucket, "Key": key})

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(copy, keys))

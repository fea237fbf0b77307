"""The exchange of blocks between processes on one machine, through files: for all cores, and for tables beyond memory."""

import json
import os
import queue
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, cast

from findmatches.blocks.block import DRIVER, Block, Sent, Stage
from findmatches.blocks.exchange import Progress
from findmatches.blocks.files import Index, Layout, block_in, mapped, write_blocks, write_facts

_WORKER = "from findmatches.blocks.worker import main; main()"
# Every process computes on one core.
_ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class StageFailed(RuntimeError):
    """A stage failed in a worker; the message has the stage, the part and the worker's traceback."""


class ProcessExchange:
    """Runs stages in `workers` processes; blocks wait in files in a folder of its own, which goes with the exchange.

    Raises StageFailed if a stage fails. A context manager.
    """

    def __init__(self, parts: int, workers: int, progress: Progress | None = None, folder: Path | None = None) -> None:
        self.parts = parts
        self.facts: dict[str, Any] = {}
        self.peak_kilobytes: dict[int, int] = {}
        self._progress = progress
        self._folder = tempfile.TemporaryDirectory(prefix="findmatches-", dir=folder)
        self._files = 0
        self._live: Counter[str] = Counter()
        self._blocks: dict[str, dict[int, list[tuple[str, Layout]]]] = {}
        self._published: list[tuple[str, Layout]] = []
        self._workers = [_Worker() for _ in range(workers)]
        self.publish(parts=parts)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for worker in self._workers:
            worker.stop()
        self._folder.cleanup()

    def publish(self, **facts: Any) -> None:  # noqa: ANN401 - facts are arrays, numbers and models
        """See Exchange."""
        self.facts.update(facts)
        path = self._new_file("facts")
        self._published.append((str(path), write_facts(path, facts)))

    def send(self, blocks: Iterable[Sent]) -> None:
        """See Exchange. One file per block: each is written before the next one is made."""
        for sent in blocks:
            path = self._new_file("blocks")
            self._remember(path, write_blocks(path, [sent]))

    def run(self, *stages: Stage) -> None:
        """See Exchange."""
        for stage in stages:
            self._run(stage)

    def received(self, kind: str) -> list[Block]:
        """See Exchange."""
        entries = self._blocks.get(kind, {}).pop(DRIVER, [])
        blocks = [
            {name: array.copy() for name, array in block_in(mapped(Path(path)), layout).items()} for path, layout in entries
        ]
        self._forget(entries)
        return blocks

    def drop(self, *kinds: str) -> None:
        """See Exchange."""
        for kind in kinds:
            for entries in self._blocks.pop(kind, {}).values():
                self._forget(entries)

    def rename(self, kind: str, new: str) -> None:
        """See Exchange."""
        for part, entries in self._blocks.pop(kind, {}).items():
            self._blocks.setdefault(new, {}).setdefault(part, []).extend(entries)

    def _run(self, stage: Stage) -> None:
        idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        for worker in self._workers:
            idle.put(worker)
        outputs = [self._new_file("blocks") for _ in range(self.parts)]

        def work(part: int) -> Index:
            worker = idle.get()
            try:
                return worker.run(stage, part, self._request(stage, part, outputs[part]), self._published)
            finally:
                idle.put(worker)

        with ThreadPoolExecutor(len(self._workers)) as pool:
            indices = []
            for done, index in enumerate(pool.map(work, range(self.parts)), start=1):
                if self._progress:
                    self._progress(stage.name, done, self.parts)
                indices.append(index)
        self.peak_kilobytes = {number: worker.peak_kilobytes for number, worker in enumerate(self._workers)}
        self.drop(*stage.consumes)
        for path, index in zip(outputs, indices, strict=True):
            self._remember(path, index)

    def _request(self, stage: Stage, part: int, output: Path) -> dict[str, Any]:
        blocks = {kind: self._blocks.get(kind, {}).get(part, []) for kind in (*stage.consumes, *stage.reads)}
        return {
            "function": (stage.function.__module__, stage.function.__name__),
            "part": part,
            "blocks": blocks,
            "output": str(output),
        }

    def _new_file(self, suffix: str) -> Path:
        self._files += 1
        return Path(self._folder.name) / f"{self._files}.{suffix}"

    def _remember(self, path: Path, index: Index) -> None:
        for part, kind, layout in index:
            self._blocks.setdefault(kind, {}).setdefault(part, []).append((str(path), layout))
        self._live[str(path)] += len(index)

    def _forget(self, entries: list[tuple[str, Layout]]) -> None:
        """A file goes with its last block."""
        for path, _ in entries:
            self._live[path] -= 1
            if not self._live[path]:
                del self._live[path]
                Path(path).unlink()


class _Worker:
    def __init__(self) -> None:
        environment = {**os.environ, **_ONE_THREAD, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        self._process = subprocess.Popen(  # noqa: S603 - this interpreter, with our own code
            [sys.executable, "-c", _WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        self._requests, self._answers = cast(IO[str], self._process.stdin), cast(IO[str], self._process.stdout)
        self.peak_kilobytes = 0
        self._facts = 0

    def run(self, stage: Stage, part: int, request: dict[str, Any], published: list[tuple[str, Layout]]) -> Index:
        request["facts"] = published[self._facts :]
        self._facts = len(published)
        try:
            self._requests.write(json.dumps(request) + "\n")
            self._requests.flush()
            line = self._answers.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise StageFailed(f"{stage.name}, part {part}: the worker died (exit status {self._process.wait()}).")
        answer = json.loads(line)
        self.peak_kilobytes = answer["peak"]
        if "error" in answer:
            raise StageFailed(f"{stage.name}, part {part}: {answer['error']}")
        index: Index = answer["index"]
        return index

    def stop(self) -> None:
        """Ends the process, whatever it does."""
        self._process.terminate()
        self._process.wait()
        self._answers.close()
        with suppress(BrokenPipeError):  # a request that it no longer read
            self._requests.close()

"""A scan from its call to its answer: taken up where it stopped, kept after each shard, listed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from analysis import console, results, study
from analysis.calls import Call, Loading
from analysis.engines.reading import windows
from analysis.errors import UserError
from analysis.experiments.corpus_scan.compute import CorpusScan, corpus_scan, window_of
from analysis.experiments.corpus_scan.sources import Source
from analysis.inputs import Inputs
from analysis.loading.assets import cache_root
from analysis.progress import Progress
from analysis.running import now, provenance
from analysis.scanning import scan_files, scan_table
from analysis.scanning.on_ray import Workers, checked
from analysis.scanning.scan import Engine, Scan, scan, started
from analysis.scanning.spent import Spent
from analysis.subject import Subject
from analysis.workers import Ray, pool

Key = dict[str, Any]


@dataclass(frozen=True)
class Work:
    """One scan.

    Attributes:
        call: model, question, neurons.
        source: the texts.
        curve: whether every token is recorded, with what the model says next.
        ray: which Ray reads them; None for this process.
        root: folder of results, if the scan is for a study that is kept there.
    """

    call: Call
    source: Source
    curve: bool
    ray: Ray | None = None
    root: Path | None = None

    def run(self, keep: Path | None, table: Path | None) -> dict[str, Any]:
        """Scan, or go on, and say what was found.

        Args:
            keep: file of the scan; without one it lies in the cache.
            table: file of a row for every neuron, if there shall be one.

        Raises:
            UserError: there is nothing to read, or a file is another's, damaged, or cannot be
                written.
        """
        self.check_apart(keep, table)
        subject = self.subject()
        inputs = self.inputs(subject) if self.curve else None
        key = self.key(subject, inputs)
        path = keep or scan_files.file_of(cache_root() / "scans", key)
        with scan_files.held(path):
            so_far = scan_files.load_scan(path, key)
            if so_far is not None:
                console.note(
                    f"note: {path} holds {so_far.windows} windows of this scan; it goes on there."
                )
            spent = Spent.on(path, so_far is not None)
            with console.watched("scan") as progress, self.engine(key) as engine:
                scanning = _Scanning(subject, self.source, key, path, spent, engine, progress)
                answer = (
                    scanning.every_neuron(so_far)
                    if inputs is None
                    else self.answer(subject, inputs, scanning.closely(inputs, so_far), spent)
                )
            self.source.check_same()
            if table is not None:
                done = scan_files.load_scan(path, key)
                assert done is not None
                scan_table.write_table(table, subject, done, self.source.again(), key)
        return {**answer, "kept": str(path)}

    def check_apart(self, keep: Path | None, table: Path | None) -> None:
        """Refuse to write over what is read, or two things into one file.

        Raises:
            UserError: a file is named twice, or a name is none.
        """
        written = {"--keep": keep, "--table": table}
        named = {path.resolve(): "what is read" for path in self.source.files}
        for option, path in written.items():
            if path is None:
                continue
            if not path.name or (path.exists() and not path.is_file()):
                raise UserError(f"{str(path)!r} is no name of a file: give one to {option}.")
            if path.resolve() in named:
                raise UserError(
                    f"{path} is {named[path.resolve()]} and {option}: name another file."
                )
            named[path.resolve()] = option

    def subject(self) -> Subject:
        """The model; where workers have it too, this process does without a GPU."""
        return (replace(self.call, device="cpu") if self.ray else self.call).load()

    def inputs(self, subject: Subject) -> Inputs:
        """What is asked: as it is typed, or by the study that it is for.

        Raises:
            UserError: that study has no sweep, or it cannot be asked.
        """
        if self.root is None:
            return self.call.inputs(subject)
        question, experiment = self.call.put(subject), self.call.experiment
        folder = study.folder_of(results.writable(self.root), subject, question)
        given = study.step_inputs(experiment, subject, question, folder, self.call.options)
        assert given is not None  # a scan suits every question
        return given

    def answer(
        self, subject: Subject, inputs: Inputs, found: CorpusScan, spent: Spent
    ) -> dict[str, Any]:
        """What was found, once it is kept for the study, if it is for one."""
        if self.root is not None:
            folder = study.folder_of(self.root, subject, inputs.question)
            made = provenance(self.call.experiment, subject, inputs, now(), spent.seconds)
            results.save(folder, self.call.experiment.name, found, made)
        return self.call.summary(found)

    def key(self, subject: Subject, inputs: Inputs | None) -> Key:
        """All that the scan depends on; not who reads."""
        return {
            **scan_files.model_key(subject),
            **({"device": self.call.device.partition(":")[0]} if self.ray else {}),
            **self.source.identity,
            "curve": None if inputs is None else _followed(inputs),
            "seed": self.call.options["seed"],
        }

    @contextmanager
    def engine(self, key: Key) -> Iterator[Engine]:
        """What reads."""
        if self.ray is None:
            yield scan
            return
        call, device = self.call, key["device"]
        loading = Loading(call.model, device, call.dtype, call.graft)
        load = partial(checked, loading.load, key)
        with pool(load, device, self.ray, console.note) as workers:
            yield Workers(workers.each).scan


@dataclass(frozen=True)
class _Scanning:
    """A scan that goes on: what it reads, where it is kept, who reads, and who is told."""

    subject: Subject
    source: Source
    key: Key
    path: Path
    spent: Spent
    engine: Engine
    progress: Progress

    def keep(self, done: Scan) -> None:
        scan_files.save_scan(self.path, done, self.key)
        self.spent.keep()

    def closely(self, inputs: Inputs, so_far: Scan | None) -> CorpusScan:
        """Every neuron, and a few of them on every token.

        Raises:
            UserError: there is no text.
        """
        found = corpus_scan(
            self.subject,
            inputs.neurons,
            inputs.question.contrast(self.subject),
            self.source.held(),
            self.key["seed"],
            so_far,
            self.keep,
            self.progress,
            self.engine,
        )
        _check_read(found.tokens)
        return found

    def every_neuron(self, so_far: Scan | None) -> dict[str, Any]:
        """Tally every neuron without logits, and hold no more than some shards of the texts.

        Raises:
            UserError: there is no text.
        """
        subject, numbers = self.subject, count()
        read = zip(self.source.documents(self.progress), numbers, strict=False)
        pieces = windows(subject, (document for document, _ in read), window_of(subject))
        done = begun = so_far or started(subject, ())
        for done in self.engine(subject, pieces, (), None, self.key["seed"], begun):
            self.keep(done)
        _check_read(int(done.moments.count))
        return {"documents": next(numbers), "tokens": int(done.moments.count)}


def _check_read(tokens: int) -> None:
    if not tokens:
        raise UserError("There is no text to scan: no document has two tokens.")


def _followed(inputs: Inputs) -> dict[str, Any]:
    """What the records are of."""
    names = [str(neuron) for neuron in inputs.neurons]
    return {"target": inputs.question.target, "foil": inputs.question.foil, "neurons": names}

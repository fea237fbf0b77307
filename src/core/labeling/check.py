"""Whether a labeler's answers make a file that can be imported, and what would be learned from it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from core.errors import GlueUnavailable, NotFoundInGlue, TryAgainLater
from core.label_file import validate_label_file
from core.labeling.answers import UNSURE, Answers
from core.labeling.errors import Finding
from core.labeling.labeling_set_file import LabelingSetFile
from core.labeling.labels import Labels, make_labels
from core.labeling.ports import LabelingDependencies
from core.labeling.splice import SplicedFile, splice_labels

_LINE = re.compile(r"line (\d+): (.*)", re.DOTALL)


@dataclass(frozen=True)
class CheckedLabels:
    """The label file that the answers make; `errors` are reasons not to import it."""

    spliced: SplicedFile
    labels: Labels
    left_out: int
    errors: list[Finding]
    warnings: list[Finding]

    @property
    def sha256(self) -> str:
        return sha256(self.spliced.body).hexdigest()

    @property
    def is_fit(self) -> bool:
        return not self.errors


def check(answers: Answers, file: LabelingSetFile, transform_id: str, deps: LabelingDependencies) -> CheckedLabels:
    """Raises TryAgainLater if Glue cannot be asked for the transform's columns."""
    labels = make_labels(answers, file)
    spliced = splice_labels(file, labels.by_row)
    errors = _errors(spliced, transform_id, deps) if labels.by_row else [Finding("No set has two rows with an answer yet.")]
    warnings = list(_warnings(answers, labels, file)) if labels.by_row else []
    return CheckedLabels(spliced, labels, len(file.rows) - len(labels.by_row), errors, warnings)


def _errors(spliced: SplicedFile, transform_id: str, deps: LabelingDependencies) -> list[Finding]:
    try:
        transform = deps.runs.glue.get_transform(transform_id)
    except NotFoundInGlue:
        return [Finding("Glue no longer has the transform of this labeling set.")]
    except GlueUnavailable as error:
        raise TryAgainLater("Glue cannot be asked for the transform at the moment.") from error
    problems = validate_label_file([spliced.body], transform.columns, transform.primary_key)
    rows = _rows_by_line(spliced) if problems else {}
    return [_finding(problem, rows) for problem in problems]


def _finding(problem: str, rows: dict[int, int]) -> Finding:
    match = _LINE.fullmatch(problem)
    return Finding(match[2], rows[int(match[1])]) if match and int(match[1]) in rows else Finding(problem)


def _rows_by_line(spliced: SplicedFile) -> dict[int, int]:
    """Line of the label file -> number of the row in the labeling set."""
    file = LabelingSetFile.parse(spliced.body)
    lines: dict[int, int] = {}
    line, position = 1, 0
    for index, row in zip(spliced.rows, file.spans, strict=True):
        before = spliced.body[position : row.span.start]
        line += before.count(b"\n") + before.count(b"\r") - before.count(b"\r\n")
        position = row.span.start
        lines[line] = index
    return lines


def _warnings(answers: Answers, labels: Labels, file: LabelingSetFile) -> Iterator[Finding]:
    for rows in file.rows_by_set.values():
        decided = [row for row in rows if answers.get(row, UNSURE) != UNSURE]
        if len(decided) == 1:
            yield Finding("is the only row of its set with an answer, so it is left out: Glue learns from pairs", decided[0])
    if not labels.match_pairs:
        yield Finding("No two rows are the same thing: Glue needs examples of matches too.")
    if not labels.non_match_pairs:
        yield Finding("No two rows are different: Glue needs examples of non-matches too.")

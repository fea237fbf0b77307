"""Find, pin and read the file of a labeling set."""

from core.errors import FileNotReadable, RunNotFound
from core.labeling.errors import SetChanged, SetNotReady, SetUnusable
from core.labeling.labeling_set_file import LabelingSetFile, UnreadableLabelingSet
from core.labeling.ports import LabelingDependencies, ObjectChanged, StaleDocument
from core.labeling.records import SetRecord
from core.labeling.store import Stored, load_set, save_set
from core.queries import get_run
from core.runs import Run, Status, TaskType

SET_CHANGED = "The file of the labeling set was changed or deleted after its first link was made."


def get_set_run(set_id: str, caller: str, deps: LabelingDependencies) -> Run:
    """The run that generated the labeling set. Raises RunNotFound, also for another caller's run and other types of runs."""
    run = get_run(set_id, caller, deps.runs)
    if run.task_type is not TaskType.LABELING_SET_GENERATION:
        raise RunNotFound(f"The task run {set_id} generates no labeling set.")
    return run


def pinned_set(run: Run, deps: LabelingDependencies) -> Stored[SetRecord]:
    """The labeling set of `run`; the first call pins its file. Raises SetNotReady, SetUnusable, S3Unavailable."""
    stored = load_set(run.id, deps)
    if stored is not None:
        return stored
    record = find_set(run, deps)
    try:
        return save_set(record, None, deps)
    except StaleDocument:  # another process was faster
        again = load_set(run.id, deps)
        if again is None:
            raise
        return again


def find_set(run: Run, deps: LabelingDependencies) -> SetRecord:
    """The labeling set that lies under the run's prefix. Raises SetNotReady, SetUnusable, S3Unavailable."""
    if not run.status.is_terminal:
        raise SetNotReady(f"The labeling set is not generated yet: its run is {run.status}.")
    if run.status is not Status.SUCCEEDED:
        reason = f": {run.error.message}" if run.error else ""
        raise SetUnusable(f"There is no labeling set: its run ended as {run.status}{reason}.")
    try:
        paths = deps.objects.csv_files(run.path or "")
        if len(paths) != 1:
            count = "several CSV files" if paths else "no CSV file"
            raise SetUnusable(f"The folder of the labeling set has {count}; exactly one is needed.")
        content = deps.objects.read(paths[0])
        file = LabelingSetFile.parse(content.body)
    except (UnreadableLabelingSet, FileNotReadable) as error:
        raise SetUnusable(f"The file of the labeling set cannot be labeled: {error}.") from error
    return SetRecord(
        id=run.id,
        transform_id=run.transform_id or "",
        path=paths[0],
        etag=content.etag,
        sha256=file.sha256,
        columns=file.columns,
        rows=len(file.rows),
        sets=len(file.rows_by_set),
    )


def read_set_file(record: SetRecord, deps: LabelingDependencies) -> LabelingSetFile:
    """The pinned file. Raises SetChanged, S3Unavailable."""
    try:
        file = LabelingSetFile.parse(deps.objects.read(record.path, record.etag).body)
    except (ObjectChanged, FileNotReadable, UnreadableLabelingSet) as error:
        raise SetChanged(SET_CHANGED) from error
    if file.sha256 != record.sha256:
        raise SetChanged(SET_CHANGED)
    return file

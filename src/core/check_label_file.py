"""Check a label file before Glue is asked to import it, and pin the version that was checked."""

from dataclasses import replace

from core.errors import FilesUnavailable, GlueUnavailable, NoSuchFile, NotStarted, Refused, UnknownToGlue
from core.label_file import MAX_BYTES, findings
from core.ports import Dependencies, LabelFiles, Transform
from core.runs import Run

BAD_FILE = "INVALID_LABEL_FILE"
CHANGED = "LABEL_FILE_CHANGED"
_OTHER_ESCAPE = "\\"  # Spark, and so perhaps Glue, writes a quote within quotes as \"


def checked(run: Run, deps: Dependencies) -> Run:
    """`run` as it may be asked of Glue: an import has its file's version pinned, and that version was checked.

    Raises Refused if the file is no good, or is not the one that was checked before; NotStarted if that cannot be told now.
    """
    if not run.is_import:
        return run
    try:
        if run.pin is not None:
            return _unchanged(run, deps.files)
        transform = deps.glue.transform(run.transform_id or "")
        return replace(run, pin=_pinned(run.path or "", transform, deps.files), warning=_warning(run, transform))
    except NoSuchFile as error:
        raise Refused(BAD_FILE, str(error)) from error
    except UnknownToGlue as error:
        raise Refused("EntityNotFoundException", str(error)) from error
    except (FilesUnavailable, GlueUnavailable) as fault:
        raise NotStarted(f"the label file cannot be checked just now: {fault}") from fault


def _unchanged(run: Run, files: LabelFiles) -> Run:
    if files.pin(run.path or "") != run.pin:
        raise Refused(CHANGED, "the label file was changed after it was checked; import it again under a new key")
    return run


def _pinned(path: str, transform: Transform, files: LabelFiles) -> str:
    file = files.open(path)
    if not 0 < file.size <= MAX_BYTES:
        raise Refused(BAD_FILE, f"the file has {file.size} bytes; at least 1 and at most {MAX_BYTES} are allowed")
    found = findings(file.chunks, transform.columns)
    if found:
        again = files.open(path)
        if again.pin != file.pin or findings(again.chunks, transform.columns, _OTHER_ESCAPE):
            raise Refused(BAD_FILE, "\n".join(found))
    return file.pin


def _warning(run: Run, transform: Transform) -> str | None:
    if not run.replace_all_labels or run.export_to is not None or not transform.label_count:
        return None
    return f"forgets {transform.label_count} labels that were not exported; send exportTo to export them first"

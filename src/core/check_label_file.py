"""Check a label file before Glue is asked to import it, and pin the version that was checked."""

from dataclasses import replace

from core.errors import FileNotReadable, GlueUnavailable, NotFoundInGlue, NotStarted, Refused, S3Unavailable
from core.label_file import MAX_BYTES, validate_label_file
from core.ports import Dependencies, LabelFiles, Transform
from core.runs import Run

INVALID_FILE_CODE = "INVALID_LABEL_FILE"
FILE_CHANGED_CODE = "LABEL_FILE_CHANGED"
_OTHER_ESCAPE = "\\"  # Spark, and so perhaps Glue, writes a quote within quotes as \"


def checked(run: Run, deps: Dependencies) -> Run:
    """`run` as it may be asked of Glue: an import has its file's version pinned, and that version was checked.

    Raises Refused if the file is no good, or is not the one that was checked before; NotStarted if that cannot be told now.
    """
    if not run.is_import:
        return run
    try:
        if run.file_version is not None:
            return _unchanged(run, deps.files)
        transform = deps.glue.get_transform(run.transform_id or "")
        return replace(run, file_version=_pinned(run.path or "", transform, deps.files), warning=_warning(run, transform))
    except FileNotReadable as error:
        raise Refused(INVALID_FILE_CODE, str(error)) from error
    except NotFoundInGlue as error:
        raise Refused("EntityNotFoundException", str(error)) from error
    except (S3Unavailable, GlueUnavailable) as fault:
        raise NotStarted(f"the label file cannot be checked just now: {fault}") from fault


def _unchanged(run: Run, files: LabelFiles) -> Run:
    if files.current_version(run.path or "") != run.file_version:
        raise Refused(FILE_CHANGED_CODE, "the label file was changed after it was checked; import it again under a new key")
    return run


def _pinned(path: str, transform: Transform, files: LabelFiles) -> str:
    file = files.open(path)
    if not 0 < file.size <= MAX_BYTES:
        raise Refused(INVALID_FILE_CODE, f"the file has {file.size} bytes; at least 1 and at most {MAX_BYTES} are allowed")
    found = validate_label_file(file.chunks, transform.columns)
    if found:
        again = files.open(path)
        if again.version != file.version or validate_label_file(again.chunks, transform.columns, _OTHER_ESCAPE):
            raise Refused(INVALID_FILE_CODE, "\n".join(found))
    return file.version


def _warning(run: Run, transform: Transform) -> str | None:
    if not run.replace_all_labels or run.export_to is not None or not transform.label_count:
        return None
    return f"forgets {transform.label_count} labels that were not exported; send exportTo to export them first"

"""Check a label file before its import is started, and pin the version that was checked."""

from dataclasses import replace

from core.errors import (
    FileNotReadable,
    GlueUnavailable,
    LabelFileUnavailable,
    NotFoundInGlue,
    NotStarted,
    Refused,
    S3Unavailable,
)
from core.label_file import MAX_BYTES, validate_label_file
from core.ports import Dependencies, LabelFiles, Transform
from core.refusals import FILE_REMEDIES, UNKNOWN_TRANSFORM_CODE
from core.runs import Run

# The codes of a refused run's error, beside those of core.refusals.FILE_REMEDIES.
INVALID_FILE_CODE = "INVALID_LABEL_FILE"
FILE_CHANGED_CODE = "LABEL_FILE_CHANGED"
FILE_SUPERSEDED_CODE = "LABEL_FILE_SUPERSEDED"
# S3 does not tell a newer upload from an older version that became current again, for which no event is sent.
_SUPERSEDED = (
    "the upload is not the current version of the file: it was replaced by a newer one, whose own event imports it, or deleted;"
    " if these labels are still to be imported, upload them again, under a name of their own"
)


def check_label_file(run: Run, deps: Dependencies) -> Run:
    """Return `run` ready for Glue: an import gets the version of its file, which is valid, and perhaps a warning.

    A version that is set was checked before, and must still be the current one. An upload must be what its event names. Other
    runs are returned as they are.

    Raises Refused if the file is invalid, was replaced since, or can never be read, NotStarted if Glue and
    LabelFileUnavailable if S3 is unavailable.
    """
    if not run.is_import:
        return run
    try:
        if run.file_version is not None:
            return _require_same_version(run, deps.files)
        transform = deps.glue.get_transform(run.transform_id or "")
        version = _valid_version(run, transform, deps.files)
        return replace(run, file_version=version, warning=_warning(run, transform))
    except FileNotReadable as error:
        code = error.code if error.code in FILE_REMEDIES else INVALID_FILE_CODE
        raise Refused(code, str(error)) from error
    except NotFoundInGlue as error:
        raise Refused(UNKNOWN_TRANSFORM_CODE, str(error)) from error
    except S3Unavailable as error:
        raise LabelFileUnavailable(f"the label file cannot be read at the moment: {error}") from error
    except GlueUnavailable as error:
        raise NotStarted(f"the transform cannot be looked up at the moment: {error}") from error


def _require_same_version(run: Run, files: LabelFiles) -> Run:
    if files.current_version(run.path or "") != run.file_version:
        raise _changed(run)
    return run


def _changed(run: Run) -> Refused:
    if run.uploaded_version is not None:
        return Refused(FILE_SUPERSEDED_CODE, _SUPERSEDED)
    return Refused(FILE_CHANGED_CODE, "the label file was changed after it was checked; import it again under a new key")


def _valid_version(run: Run, transform: Transform, files: LabelFiles) -> str:
    file = files.open(run.path or "")
    if run.uploaded_version is not None and file.version not in run.uploaded_version.split():
        raise _changed(run)
    if not 0 < file.size <= MAX_BYTES:
        raise Refused(INVALID_FILE_CODE, f"the file has {file.size} bytes; at least 1 and at most {MAX_BYTES} are allowed")
    problems = validate_label_file(file.chunks, transform.columns, transform.primary_key)
    if problems:
        raise Refused(INVALID_FILE_CODE, "\n".join(problems))
    return file.version


def _warning(run: Run, transform: Transform) -> str | None:
    if not run.replace_all_labels or run.export_to is not None or not transform.label_count:
        return None
    return f"removes {transform.label_count} labels that were not exported; send exportTo to export them first"

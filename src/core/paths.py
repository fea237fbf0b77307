"""S3 paths: their syntax, and which of them callers may use."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from core.errors import FieldError, InvalidRequest
from core.runs import RUN_ID_LENGTH, TRANSFORM_ID_PATTERN

# Bucket names: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
_KEY_CHARACTER = r"[^\x00-\x1f\x7f]"
_S3_PATH = re.compile(f"s3://{_BUCKET}/(?P<key>{_KEY_CHARACTER}*)")
_BUCKET_NAME = re.compile(_BUCKET)
# Of several folders `labels`, the last that is followed by an id. Doubled slashes match, so that such a key is refused by name.
_UPLOAD_KEY = re.compile(rf"(?:.*/)?labels/+(?P<transform_id>{TRANSFORM_ID_PATTERN})/.*\.(?i:csv)", re.DOTALL)
_MIN_BUCKET_CHARACTERS, _MAX_BUCKET_CHARACTERS = 3, 63
MAX_LENGTH = 1024  # characters; UriString in botocore's Glue model
MAX_FOLDER_LENGTH = MAX_LENGTH - RUN_ID_LENGTH - 2  # leaves room for the id of a run, the last part of its path
# For the published schemas. A folder may end in a slash or not, an object must not.
FOLDER_PATTERN = f"^s3://{_BUCKET}(?:/{_KEY_CHARACTER}*)?$"
OBJECT_PATTERN = f"^s3://{_BUCKET}/{_KEY_CHARACTER}*[^/\\x00-\\x1f\\x7f]$"


@dataclass(frozen=True, slots=True)
class AllowedPrefixes:
    """Prefixes of the form `s3://bucket/prefix/`. Callers may use the paths below them; without prefixes, none."""

    prefixes: tuple[str, ...]

    @staticmethod
    def parse(text: str) -> "AllowedPrefixes":
        """Parse a comma-separated list. Raises ValueError if a part is no S3 path."""
        return AllowedPrefixes.of(part.strip() for part in text.split(",") if part.strip())

    @staticmethod
    def of(prefixes: Iterable[str]) -> "AllowedPrefixes":
        """Normalize `prefixes`, each with or without its closing slash. Raises ValueError if one is no S3 path."""
        closed = tuple(prefix.rstrip("/") + "/" for prefix in prefixes)
        for prefix in closed:
            if not _S3_PATH.fullmatch(prefix):
                raise ValueError(f"allowed S3 prefixes: {prefix!r} is not of the form s3://bucket/prefix/")
        return AllowedPrefixes(closed)

    def allow(self, path: str) -> bool:
        return any(path.startswith(prefix) for prefix in self.prefixes)

    def intersection(self, allowed: "AllowedPrefixes") -> "AllowedPrefixes":
        """The paths that both allow: of two nested prefixes, the longer one."""
        ours = [prefix for prefix in self.prefixes if allowed.allow(prefix)]
        theirs = [prefix for prefix in allowed.prefixes if self.allow(prefix)]
        return AllowedPrefixes(tuple(dict.fromkeys(ours + theirs)))


@dataclass(frozen=True, slots=True)
class CallerPrefixes:
    """The prefixes that single callers are limited to, so that no caller reaches another's data through this service.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
    """

    by_caller: Mapping[str, AllowedPrefixes] = field(default_factory=dict)

    def narrow(self, allowed: AllowedPrefixes, caller: str) -> AllowedPrefixes:
        """The part of `allowed` that `caller` may use: all of it, if neither the caller nor `*` has an entry."""
        own = self.by_caller.get(caller) or self.by_caller.get("*")
        return allowed if own is None else allowed.intersection(own)


def own_folder(folder: str, run_id: str) -> str:
    """The prefix under `folder` that one run writes to."""
    return f"{folder.rstrip('/')}/{run_id}/"


def check_output_folder(path: str, allowed: AllowedPrefixes, pointer: str = "#/outputS3Path") -> str:
    """Return the folder `path` with a closing slash. Raises InvalidRequest, whose error points to `pointer`."""
    folder = path.rstrip("/") + "/"
    _check(folder, path, allowed, pointer)
    if len(folder) > MAX_FOLDER_LENGTH:
        raise InvalidRequest(FieldError(pointer, f"is too long: at most {MAX_FOLDER_LENGTH} characters"))
    if _would_be_upload(own_folder(folder, "0" * RUN_ID_LENGTH) + "a.csv"):
        raise InvalidRequest(FieldError(pointer, "must not be a folder of uploads, below labels/: files there are imported"))
    return folder


def check_input_object(path: str, allowed: AllowedPrefixes, pointer: str = "#/inputS3Path") -> str:
    """Return `path` if it names an S3 object. Raises InvalidRequest, whose error points to `pointer`."""
    _check(path, path, allowed, pointer)
    if path.endswith("/"):
        raise InvalidRequest(FieldError(pointer, "must name one S3 object, not a folder: Glue imports a single file"))
    if len(path) > MAX_LENGTH:
        raise InvalidRequest(FieldError(pointer, f"is too long: at most {MAX_LENGTH} characters"))
    return path


def transform_id_of_upload(key: str) -> str | None:
    """The transform that an uploaded file has labels for; None if `key` is not an upload.

    Uploads are `…/labels/{transformId}/….csv`, at any depth and with `.csv` in any case.
    """
    match = _UPLOAD_KEY.fullmatch(key)
    return match["transform_id"] if match else None


def _would_be_upload(path: str) -> bool:
    return transform_id_of_upload(path.removeprefix("s3://").partition("/")[2]) is not None


def _syntax_error(path: str, path_as_sent: str) -> str:
    scheme, _, rest = path.partition("://")
    bucket, slash, _ = rest.partition("/")
    if scheme != "s3" or not bucket or not slash:
        return f"must be of the form s3://bucket/key, not {path_as_sent[:100]!r}"
    if not _MIN_BUCKET_CHARACTERS <= len(bucket) <= _MAX_BUCKET_CHARACTERS:
        return f"has a bucket name of {len(bucket)} characters: {bucket[:80]!r}; bucket names have 3 to 63"
    if not _BUCKET_NAME.fullmatch(bucket):
        return (
            f"has an invalid bucket name: {bucket!r}; bucket names have lower-case letters, digits, dots and hyphens, "
            "and begin and end with a letter or digit"
        )
    return f"has control characters: {path_as_sent[:100]!r}"


def _check(path: str, path_as_sent: str, allowed: AllowedPrefixes, pointer: str) -> None:
    match = _S3_PATH.fullmatch(path)
    if match is None:
        raise InvalidRequest(FieldError(pointer, _syntax_error(path, path_as_sent)))
    key = match["key"].rstrip("/")
    if key and {"", ".", ".."} & set(key.split("/")):
        raise InvalidRequest(FieldError(pointer, "must not have empty, '.' or '..' parts"))
    if not allowed.allow(path):
        raise InvalidRequest(FieldError(pointer, f"is not allowed here; allowed: {', '.join(allowed.prefixes) or 'none'}"))

"""S3 paths: their grammar, and which ones callers may name."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from core.errors import FieldError, InvalidRequest

# Bucket names: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
_KEY_CHARACTER = r"[^\x00-\x1f\x7f]"
_S3_PATH = re.compile(f"s3://{_BUCKET}/(?P<key>{_KEY_CHARACTER}*)")
_UPLOAD = re.compile(r"(?:.*/)?labels/(?P<transform_id>[A-Za-z0-9][A-Za-z0-9_-]{0,254})/[^/]+\.csv")
MAX_LENGTH = 1024  # UriString in botocore's Glue model
MAX_FOLDER_LENGTH = MAX_LENGTH - 34  # leaves room for the id of a run, which is the last part of its path
# What the published schemas say of paths: a folder may end in a slash or not, an object must not.
FOLDER_PATTERN = f"^s3://{_BUCKET}(?:/{_KEY_CHARACTER}*)?$"
OBJECT_PATTERN = f"^s3://{_BUCKET}/{_KEY_CHARACTER}*[^/\\x00-\\x1f\\x7f]$"


@dataclass(frozen=True, slots=True)
class AllowedPrefixes:
    """`s3://bucket/prefix/` each; callers may name what lies below one of them. None at all refuses every path."""

    prefixes: tuple[str, ...]

    @staticmethod
    def parse(text: str) -> "AllowedPrefixes":
        """Read a comma-separated list. Raises ValueError on what is no S3 path."""
        return AllowedPrefixes.of(part.strip() for part in text.split(",") if part.strip())

    @staticmethod
    def of(prefixes: Iterable[str]) -> "AllowedPrefixes":
        """These prefixes. Raises ValueError on what is no S3 path."""
        closed = tuple(prefix.rstrip("/") + "/" for prefix in prefixes)
        for prefix in closed:
            if not _S3_PATH.fullmatch(prefix):
                raise ValueError(f"allowed S3 prefixes: {prefix!r} is not of the form s3://bucket/prefix/")
        return AllowedPrefixes(closed)

    def allow(self, path: str) -> bool:
        return any(path.startswith(prefix) for prefix in self.prefixes)

    def within(self, other: "AllowedPrefixes") -> "AllowedPrefixes":
        """What both allow."""
        both = [one for one in self.prefixes if other.allow(one)] + [one for one in other.prefixes if self.allow(one)]
        return AllowedPrefixes(tuple(dict.fromkeys(both)))


@dataclass(frozen=True, slots=True)
class CallerPrefixes:
    """Whose prefixes are narrowed, and to which: a caller must not have this service reach what is another's.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
    """

    by_caller: Mapping[str, AllowedPrefixes] = field(default_factory=dict)

    def narrow(self, allowed: AllowedPrefixes, caller: str) -> AllowedPrefixes:
        """What `caller` may name of `allowed`; who is not named here, and has no `*` to go by, keeps all of it."""
        own = self.by_caller.get(caller) or self.by_caller.get("*")
        return allowed if own is None else allowed.within(own)


def output_folder(path: str, allowed: AllowedPrefixes, pointer: str = "#/outputS3Path") -> str:
    """The folder that `path` names, with its closing slash. Raises InvalidRequest."""
    folder = path.rstrip("/") + "/"
    _check(folder, path, allowed, pointer)
    if len(folder) > MAX_FOLDER_LENGTH:
        raise InvalidRequest(FieldError(pointer, f"is too long: at most {MAX_FOLDER_LENGTH} characters"))
    return folder


def label_file(path: str, allowed: AllowedPrefixes, pointer: str = "#/inputS3Path") -> str:
    """The one S3 object that `path` names. Raises InvalidRequest."""
    _check(path, path, allowed, pointer)
    if path.endswith("/"):
        raise InvalidRequest(FieldError(pointer, "must name one S3 object, not a folder: Glue imports a single file"))
    if len(path) > MAX_LENGTH:
        raise InvalidRequest(FieldError(pointer, f"is too long: at most {MAX_LENGTH} characters"))
    return path


def transform_id_of_upload(key: str) -> str | None:
    """The transform that an uploaded object is labels for, or None where the key is not `…/labels/{transformId}/….csv`."""
    match = _UPLOAD.fullmatch(key)
    return match["transform_id"] if match else None


def _check(path: str, as_sent: str, allowed: AllowedPrefixes, pointer: str) -> None:
    match = _S3_PATH.fullmatch(path)
    if match is None:
        raise InvalidRequest(FieldError(pointer, f"must be of the form s3://bucket/key, not {as_sent[:100]!r}"))
    below = match["key"].rstrip("/")
    if below and {"", ".", ".."} & set(below.split("/")):
        raise InvalidRequest(FieldError(pointer, "must not have empty, '.' or '..' parts"))
    if not allowed.allow(path):
        raise InvalidRequest(FieldError(pointer, f"is not allowed here; allowed: {', '.join(allowed.prefixes) or 'none'}"))

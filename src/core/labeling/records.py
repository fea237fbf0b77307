"""What the ledger keeps of a labeling set beside its run: the set itself, each labeler's answers, and each link."""

from datetime import datetime
from hashlib import sha256

from pydantic import AwareDatetime, Field

from core.labeling.answers import Answer
from core.views import View


class Submission(View):
    """The labels that were submitted, and the import that they became.

    `sha256` is that of the label file at `path`. `number` counts the imports of one file: another one follows only on an end in
    Glue that was no success. `reserved_on` is when the import was last sent on its way; times are UTC.
    """

    sha256: str
    number: int = 1
    path: str
    task_run_id: str
    labeler: str
    minted_by: str
    submitted_on: AwareDatetime
    reserved_on: AwareDatetime
    rows: tuple[int, ...]
    left_out: int
    match_pairs: int
    non_match_pairs: int

    @property
    def key(self) -> str:
        """The import's idempotency key, without the name of the set."""
        return self.sha256 if self.number == 1 else f"{self.sha256}:{self.number}"


class SetRecord(View):
    """A labeling set whose file is pinned: `path`, `etag` and `sha256` say which bytes people label."""

    id: str
    transform_id: str
    path: str
    etag: str
    sha256: str
    columns: tuple[str, ...]
    rows: int
    sets: int
    labelers: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    submission: Submission | None = None


class AnswersRecord(View):
    """The answers of one labeler."""

    labeler: str
    answers: dict[int, Answer]
    saved_on: AwareDatetime


class Link(View):
    """A link: the right to label one set as one labeler. Of its secret only the SHA-256 is kept."""

    link_id: str
    secret_sha256: str = Field(repr=False)
    set_id: str
    labeler: str
    may_import: bool
    blind: bool
    minted_by: str
    minted_by_session: str | None = None
    minted_on: AwareDatetime
    expires_on: AwareDatetime
    revoked_on: AwareDatetime | None = None

    def is_expired(self, now: datetime) -> bool:
        return self.expires_on <= now


def secret_hash(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()

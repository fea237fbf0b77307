"""Links to the labeling page: mint, list, revoke, and recognize them.

A token is `{linkId}.{secret}`. The secret is known to whoever got the link, and the ledger keeps only its SHA-256.
"""

import hmac
import logging
import re
from datetime import datetime, timedelta
from typing import NamedTuple

from core.errors import FieldError, InvalidRequest
from core.labeling.errors import LinkNotFound, LinkRefused, NotThisSet, PageOff, TooManyLinks
from core.labeling.ports import LabelingDependencies, StaleDocument
from core.labeling.records import Link, SetRecord, secret_hash
from core.labeling.sets import pinned_set
from core.labeling.store import Stored, load_link, load_set, save_link, save_set
from core.runs import Run

_log = logging.getLogger(__name__)
LINK_ID_CHARACTERS, SECRET_CHARACTERS = 16, 43  # 96 and 258 bits
LINK_ID_PATTERN = f"[A-Za-z0-9_-]{{{LINK_ID_CHARACTERS}}}"
_TOKEN = re.compile(rf"(?P<id>{LINK_ID_PATTERN})\.(?P<secret>[A-Za-z0-9_-]{{{SECRET_CHARACTERS}}})")
MAX_LINKS = 200
MAX_LABELERS = 50
MIN_LINK_SECONDS, MAX_LINK_SECONDS, DEFAULT_LINK_SECONDS = 300, 604_800, 28_800
MAX_LABELER_CHARACTERS = 64
_UNKNOWN = "This link is not valid; ask whoever sent it."
_MAX_ATTEMPTS = 5


class LinkRequest(NamedTuple):
    """Who may do what with a new link, and for how long."""

    labeler: str
    lifetime: timedelta
    may_import: bool
    blind: bool


class NewLink(NamedTuple):
    """A link and its address, which holds the secret and cannot be shown again."""

    link: Link
    url: str


def mint_link(run: Run, request: LinkRequest, minted_by: str, session: str | None, deps: LabelingDependencies) -> NewLink:
    """Make a link to the labeling set of `run`; the first link pins the set's file.

    Raises PageOff, InvalidRequest, SetNotReady, SetUnusable, TooManyLinks.
    """
    if not deps.label_url:
        raise PageOff("This deployment has no labeling page; an operator can switch it on with the parameter LabelingPage.")
    _check(request, deps)
    now = deps.runs.clock()
    secret = deps.random_text(SECRET_CHARACTERS)
    link = Link(
        link_id=deps.random_text(LINK_ID_CHARACTERS),
        secret_sha256=secret_hash(secret),
        set_id=run.id,
        labeler=request.labeler,
        may_import=request.may_import,
        blind=request.blind,
        minted_by=minted_by,
        minted_by_session=session,
        minted_on=now,
        expires_on=now + request.lifetime,
    )
    _register(link, run, deps)
    save_link(link, None, deps)
    _log.info("LINK_MINTED", extra={"id": run.id, "linkId": link.link_id, "mayImport": str(link.may_import)})
    return NewLink(link, f"{deps.label_url}/label#s={run.id}&t={link.link_id}.{secret}")


def list_links(set_id: str, deps: LabelingDependencies) -> list[Link]:
    """The links of the set that have not expired, newest first."""
    stored = load_set(set_id, deps)
    return [] if stored is None else [each.record for each in _live_links(stored.record, deps)]


def revoke_link(set_id: str, link_id: str, deps: LabelingDependencies) -> None:
    """From the next request on, the link opens nothing. Raises LinkNotFound."""
    stored = load_link(link_id, deps) if re.fullmatch(LINK_ID_PATTERN, link_id) else None
    if stored is None or stored.record.set_id != set_id:
        raise LinkNotFound("The labeling set has no such link.")
    if stored.record.revoked_on is not None:
        return
    try:
        save_link(stored.record.model_copy(update={"revoked_on": deps.runs.clock()}), stored.revision, deps)
    except StaleDocument:  # only a revocation changes a link
        return
    _log.info("LINK_REVOKED", extra={"id": set_id, "linkId": link_id})


def open_link(token: str, set_id: str, deps: LabelingDependencies) -> Link:
    """The link of a token. A malformed token costs no AWS call. Raises LinkRefused, NotThisSet."""
    match = _TOKEN.fullmatch(token)
    stored = load_link(match["id"], deps) if match else None
    if match is None or stored is None or not hmac.compare_digest(stored.record.secret_sha256, secret_hash(match["secret"])):
        raise LinkRefused("LINK_UNKNOWN", _UNKNOWN)
    link = stored.record
    if link.revoked_on is not None:
        raise LinkRefused("LINK_REVOKED", "This link was withdrawn; ask whoever sent it for a new one.")
    if link.is_expired(deps.runs.clock()):  # the ledger deletes late
        raise LinkRefused("LINK_EXPIRED", "This link has expired; ask whoever sent it for a new one.")
    if link.set_id != set_id:
        raise NotThisSet("There is no such labeling set.")
    return link


def _check(request: LinkRequest, deps: LabelingDependencies) -> None:
    longest = min(timedelta(seconds=MAX_LINK_SECONDS), deps.max_link_age)
    if not timedelta(seconds=MIN_LINK_SECONDS) <= request.lifetime <= longest:
        text = f"must be from {MIN_LINK_SECONDS} to {longest.total_seconds():.0f}"
        raise InvalidRequest(FieldError("#/expiresInSeconds", text))
    name = request.labeler
    if not 1 <= len(name) <= MAX_LABELER_CHARACTERS or not name.isprintable() or name != name.strip():
        text = f"must have 1 to {MAX_LABELER_CHARACTERS} visible characters, without spaces around them"
        raise InvalidRequest(FieldError("#/labeler", text))


def _register(link: Link, run: Run, deps: LabelingDependencies) -> None:
    """Note link and labeler in the set's record. Dying after this leaves a link id without a link, which lists skip."""
    stored = pinned_set(run, deps)
    for _ in range(_MAX_ATTEMPTS):
        live = stored.record.links
        if len(live) >= MAX_LINKS:
            live = tuple(each.record.link_id for each in _live_links(stored.record, deps))
        labelers = tuple(dict.fromkeys((*stored.record.labelers, link.labeler)))
        if len(live) >= MAX_LINKS or len(labelers) > MAX_LABELERS:
            raise TooManyLinks(f"A labeling set has at most {MAX_LINKS} links that are valid, and {MAX_LABELERS} labelers.")
        changed = stored.record.model_copy(update={"links": (link.link_id, *live), "labelers": labelers})
        try:
            save_set(changed, stored.revision, deps)
        except StaleDocument:
            stored = pinned_set(run, deps)
        else:
            return
    raise TooManyLinks("Too many links are being made for this labeling set at once; try again.")


def _live_links(record: SetRecord, deps: LabelingDependencies) -> list[Stored[Link]]:
    now: datetime = deps.runs.clock()
    found = (load_link(link_id, deps) for link_id in record.links)
    return [link for link in found if link is not None and link.record.revoked_on is None and not link.record.is_expired(now)]

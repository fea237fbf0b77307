"""The labels of one labeling set by one labeler, through the label API: as a page, a CSV file, or a DataFrame."""

import io
import webbrowser
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from label_loop.api import LABELING_SETS, ApiClient, Response
from label_loop.errors import LabelLoopError, LabelsNotFit, ServiceError
from label_loop.models import LabelCheck, LabelingSet, Link
from label_loop.retries import send_until_answered
from label_loop.run_handle import RunHandle

if TYPE_CHECKING:
    from label_loop.loop import LabelLoop

_UNPROCESSABLE = 422


class Labels:
    """The labels of `labeler` for one labeling set; `set` is the set's document. The first call that needs a link makes one.

    Methods raise ServiceError, Unavailable, and LabelsNotFit where labels are refused.
    """

    def __init__(self, labeling_set: LabelingSet, loop: "LabelLoop", labeler: str) -> None:
        self.set = labeling_set
        self.labeler = labeler
        self._loop = loop

    def open(self, labeler: str | None = None, *, blind: bool = False) -> Link:
        """Open the labeling page in a browser, with a new link; in a notebook or without a display, show the link's `url`."""
        link = self._loop.create_link(self.set.id, labeler or self.labeler, blind=blind)
        webbrowser.open(link.url or "")
        return link

    def csv(self, *, for_spreadsheet: bool = False) -> bytes:
        """The file that would be imported now; or a copy of all rows for a spreadsheet, whose cells start no formula."""
        return bytes(self._call("GET", "/labels.csv?for=spreadsheet" if for_spreadsheet else "/labels.csv").body)

    def put_csv(self, content: bytes) -> "PutResult":
        """Take over the labels of a CSV file. Rows are recognized by their cells; only set id and label are read."""
        response = self._call("PUT", "/labels.csv", content, {"If-Match": self._etag(), "Content-Type": "text/csv"})
        return PutResult(response.body, self)

    def to_frame(self) -> Any:  # noqa: ANN401 - pandas is optional
        """All rows as a DataFrame, every column text, with an empty or filled column `label`. Needs pandas."""
        return _pandas().read_csv(io.BytesIO(self.csv(for_spreadsheet=True)), dtype=str, keep_default_na=False)

    def put_frame(self, frame: Any) -> "PutResult":  # noqa: ANN401 - pandas is optional
        """Take over the column `label` of a DataFrame that `to_frame` made."""
        return self.put_csv(frame.to_csv(index=False).encode())

    def check(self) -> LabelCheck:
        """What an import of the saved answers would bring, and what is wrong with them."""
        return LabelCheck.of(self._call("GET", "/check").body)

    def submit(self) -> RunHandle:
        """Import the saved answers, once however often it is called. Raises LabelsNotFit if they cannot be imported."""
        response = self._call("POST", "/submission", {}, {"If-Match": self._etag()})
        return self._loop.task_run(response.body["submission"]["taskRunId"])

    def _etag(self) -> str:
        return self._call("GET", "").headers["etag"]

    def _call(self, method: str, tail: str, body: object = None, headers: dict[str, str] | None = None) -> Response:
        path = f"{LABELING_SETS}/{self.set.id}{tail}"
        api, token = self._label_api
        signed = {"Authorization": f"Bearer {token}", **(headers or {})}
        try:
            return send_until_answered(lambda: api.request(method, path, body, signed), self._loop.retries)
        except ServiceError as error:
            if error.status == _UNPROCESSABLE:
                raise LabelsNotFit(error.problem.get("errors") or [{"message": str(error)}]) from error
            raise

    @cached_property
    def _label_api(self) -> tuple[ApiClient, str]:
        """The label API of a new link, and the link's token."""
        url = urlsplit(self._loop.create_link(self.set.id, self.labeler).url or "")
        token = parse_qs(url.fragment)["t"][0]
        base = f"{url.scheme}://{url.netloc}{url.path.rpartition('/label')[0]}"
        return ApiClient(base, self._loop.endpoint.region, None), token


class PutResult:
    """What became of a file or a DataFrame: labels `taken`, `damaged_cells`, and rows that were `ambiguous`."""

    def __init__(self, document: dict[str, Any], labels: Labels) -> None:
        self.json = document
        self.taken = int(document["taken"])
        self.damaged_cells = document["damagedCells"]
        self.ambiguous = document["ambiguous"]
        self._labels = labels

    def raise_for_errors(self) -> None:
        """Raises LabelsNotFit if the answers as they are now cannot be imported."""
        check = self._labels.check()
        if not check.ok:
            raise LabelsNotFit(check.errors)


def _pandas() -> Any:  # noqa: ANN401 - pandas is optional
    try:
        import pandas as pd  # noqa: PLC0415 - optional: only DataFrames need it
    except ModuleNotFoundError as error:
        raise LabelLoopError("DataFrames need pandas: pip install 'glue-label-loop[pandas]'") from error
    return pd

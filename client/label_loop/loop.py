"""The labeling loop for a shell or a notebook: start runs exactly once, wait for them, list them, label their sets."""

import uuid
from collections.abc import Callable, Iterator
from functools import partial
from getpass import getuser
from typing import Any
from urllib.parse import quote

from label_loop.api import LABELING_SETS, ApiClient, Response
from label_loop.endpoint import Endpoint, find_endpoint
from label_loop.labels import Labels
from label_loop.models import LabelingSet, Link, TaskRun
from label_loop.retries import Retries, send_until_answered
from label_loop.run_handle import RunHandle

_PAGE_SIZE = "100"


class LabelLoop:
    """The service, found by `api` URL, by CloudFormation `stack`, or by LABEL_LOOP_API; `LabelLoop.local()` is the local cloud.

    Every call repeats what passes (lost connections, 429, 503) within `retries.seconds`; a start carries one idempotency key on
    every try, which `on_key` is told. The constructor raises UsageError, NoCredentials and LabelLoopError if there is no such
    endpoint; all methods raise ServiceError (NotAllowed among them) and Unavailable.
    """

    def __init__(
        self,
        api: str | None = None,
        stack: str | None = None,
        *,
        profile: str | None = None,
        region: str | None = None,
        endpoint: Endpoint | None = None,
        retries: Retries | None = None,
        on_key: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.endpoint = endpoint or find_endpoint(api, stack, profile=profile, region=region)
        self.api = ApiClient(self.endpoint.url, self.endpoint.region, self.endpoint.credentials)
        self.retries = retries or Retries()
        self._on_key = on_key

    @staticmethod
    def local() -> "LabelLoop":
        """The local cloud that `make up` started here or in a folder above. Raises LabelLoopError if there is none."""
        return LabelLoop(endpoint=find_endpoint(local=True))

    # --- starting

    def start_labeling_set(self, transform_id: str, output_s3_path: str, key: str | None = None) -> "RunHandle":
        """Generate a labeling set under `output_s3_path`. The same `key` again returns the same run; None makes a new key."""
        return self._start(key, lambda key: self.api.start_labeling_set_run(key, transform_id, output_s3_path))

    def start_import(
        self,
        transform_id: str,
        input_s3_path: str,
        key: str | None = None,
        *,
        replace_all_labels: bool = False,
        export_to: str | None = None,
    ) -> "RunHandle":
        """Import a label file. `replace_all_labels` drops the existing labels; `export_to` keeps a copy of them there first."""
        return self._start(
            key,
            lambda key: self.api.start_label_import_run(
                key, transform_id, input_s3_path, replace_all_labels=replace_all_labels, export_to=export_to
            ),
        )

    def start_evaluation(self, transform_id: str, key: str | None = None) -> "RunHandle":
        """Evaluate the transform by its labels; the run that succeeded has `metrics`."""
        return self._start(key, lambda key: self.api.start_evaluation_run(key, transform_id))

    def start_export(self, transform_id: str, output_s3_path: str, key: str | None = None) -> "RunHandle":
        """Export the transform's labels under `output_s3_path`."""
        return self._start(key, lambda key: self.api.start_label_export_run(key, transform_id, output_s3_path))

    def _start(self, key: str | None, send: Callable[[str], Response]) -> "RunHandle":
        key = key or str(uuid.uuid4())
        self._on_key(key)
        response = send_until_answered(partial(send, key), self.retries, key)
        return RunHandle(TaskRun.of(response.body), self)

    # --- runs

    def task_run(self, run_id: str) -> "RunHandle":
        """The run with the service's id `run_id`."""
        return RunHandle(TaskRun.of(self._send(lambda: self.api.get_task_run(run_id)).body), self)

    def task_runs(
        self, transform_id: str | None = None, status: str | None = None, task_type: str | None = None
    ) -> Iterator[TaskRun]:
        """All runs that the caller may see, newest first; pages are fetched as they are needed."""
        filters = {"transformId": transform_id, "status": status, "taskType": task_type, "limit": _PAGE_SIZE}
        cursor: str | None = None
        while True:
            query = {name: value for name, value in {**filters, "cursor": cursor}.items() if value is not None}
            page = self._send(partial(self.api.list_task_runs, **query)).body
            yield from map(TaskRun.of, page["items"])
            cursor = page.get("next")
            if cursor is None:
                return

    def cancel(self, run_id: str) -> "RunHandle":
        """Cancel a run. Raises ServiceError with status 409 if it has ended."""
        return RunHandle(TaskRun.of(self._send(lambda: self.api.cancel_task_run(run_id)).body), self)

    # --- labeling sets and their links

    def labeling_set(self, set_id: str, labeler: str | None = None) -> Labels:
        """The labeling set of the run `set_id`, to be labeled as `labeler` (by default the name of this machine's user)."""
        return Labels(LabelingSet.of(self._send(lambda: self.api.get_labeling_set(set_id)).body), self, labeler or getuser())

    def answers(self, set_id: str) -> list[dict[str, Any]]:
        """The answers of each labeler, with `labeler` and `answers` (row number to answer)."""
        return list(self._send(lambda: self.api.list_answers(set_id)).body["items"])

    def create_link(
        self, set_id: str, labeler: str, *, expires_in_seconds: int | None = None, may_import: bool = True, blind: bool = False
    ) -> Link:
        """A link to the labeling page for one labeler; its URL is shown this once."""
        options: dict[str, object] = {"mayImport": may_import, "blind": blind}
        if expires_in_seconds is not None:
            options["expiresInSeconds"] = expires_in_seconds
        # A repeat would make a second link: only a person can tell whether the first was received.
        response = send_until_answered(lambda: self.api.create_link(set_id, labeler, **options), self.retries, may_repeat=False)
        return Link.of(response.body)

    def links(self, set_id: str) -> list[Link]:
        return [Link.of(document) for document in self._send(lambda: self.api.list_links(set_id)).body["items"]]

    def revoke_link(self, set_id: str, link_id: str) -> None:
        """From the next request on, the link is refused."""
        self._send(lambda: self.api.revoke_link(set_id, link_id))

    def agreement(self, set_id: str) -> dict[str, Any]:
        """How far the labelers of a set agree, and where they do not."""
        path = f"{LABELING_SETS}/{quote(set_id, safe='')}/agreement"
        return dict(self._send(lambda: self.api.request("GET", path)).body)

    def consensus(self, set_id: str) -> bytes:
        """The label file of the rows on which the labelers of a set agree."""
        path = f"{LABELING_SETS}/{quote(set_id, safe='')}/consensus.csv"
        return bytes(self._send(lambda: self.api.request("GET", path)).body)

    def description(self) -> dict[str, Any]:
        """The API's OpenAPI document."""
        return dict(self._send(lambda: self.api.request("GET", "/v1/openapi.json")).body)

    def _send(self, send: Callable[[], Response]) -> Response:
        return send_until_answered(send, self.retries)

"""A generated labeling set in a service in memory, and the label API in front of it."""

import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from core.labeling.links import LinkRequest, mint_link
from core.labeling.ports import LabelingDependencies
from core.runs import Run
from handlers.label import handler
from tests.fakes.labeling import MemoryDocuments, MemoryObjects
from tests.fakes.service import Service, labeling_command

SET_FILE = (
    b'labeling_set_id,label,id,name\ns1,,1,"Ann ""A"" Lee"\ns1,,2,Anne Lee\ns1,,3,Bob\ns2,,4,Z\xc3\xbcrich AG\ns2,,5,Zurich\n'
)
LABEL_URL = "https://labels.example/live"
_requests = count(1)


@dataclass(frozen=True)
class Answer:
    """A response of the label API; `headers` have lower-case names, `body` is parsed if it is JSON."""

    status: int
    headers: dict[str, str]
    body: Any


@dataclass
class LabelingRoom:
    """`run` is the labeling set's. `minted_by` mints the links; `alice` owns the set."""

    service: Service = field(default_factory=Service)
    body: bytes = SET_FILE

    def __post_init__(self) -> None:
        self.documents = MemoryDocuments()
        self.objects = MemoryObjects(self.service.files.contents)
        self._random = count(1)
        self.run = self.new_set("round-1", self.body)

    @property
    def deps(self) -> LabelingDependencies:
        return LabelingDependencies(self.service.deps, self.documents, self.objects, self._random_text, LABEL_URL)

    def new_set(self, key: str, body: bytes) -> Run:
        """A labeling set that Glue has generated."""
        run = self.service.start_run(labeling_command(key))
        self.service.files.contents[f"{run.path}part-0.csv"] = body
        self.service.glue.finish_all()
        self.service.reconcile()
        return self.service.reload(run)

    def token(
        self,
        labeler: str = "ann",
        *,
        may_import: bool = True,
        hours: float = 8,
        minted_by: str = "alice",
        run: Run | None = None,
    ) -> str:
        """The token of a new link."""
        request = LinkRequest(labeler, timedelta(hours=hours), may_import=may_import, blind=False)
        new = mint_link(run or self.run, request, minted_by, None, self.deps)
        return new.url.partition("&t=")[2]

    def call(
        self,
        method: str,
        tail: str = "",
        token: str | None = None,
        body: object = None,
        *,
        etag: str | None = None,
        query: dict[str, str] | None = None,
        set_id: str | None = None,
        deps: LabelingDependencies | None = None,
    ) -> Answer:
        """Send a request about the set; `tail` follows its path. `deps` are those of a process that a test kills."""
        headers = ({"Authorization": f"Bearer {token}"} if token is not None else {}) | ({"If-Match": etag} if etag else {})
        event: dict[str, Any] = {
            "httpMethod": method,
            "resource": f"/v1/labeling-sets/{{id}}{tail}",
            "path": f"/v1/labeling-sets/{set_id or self.run.id}{tail}",
            "pathParameters": {"id": set_id or self.run.id},
            "headers": headers,
            "queryStringParameters": query,
            "body": body if isinstance(body, str) or body is None else json.dumps(body),
            "isBase64Encoded": False,
            "requestContext": {"requestId": f"request-{next(_requests)}"},
        }
        return _answer(handler(event, LambdaContext(), deps or self.deps))

    def save(self, token: str, answers: dict[str, object]) -> Answer:
        """Save answers over those that are there."""
        return self.call("PUT", "/answers", token, {"answers": answers}, etag=self.etag(token))

    def etag(self, token: str) -> str:
        return self.call("GET", "", token).headers["etag"]

    def submit(self, token: str, **body: object) -> Answer:
        return self.call("POST", "/submission", token, body, etag=self.etag(token))

    def imports(self) -> list[Run]:
        """The runs that import labels."""
        return [run for run in self.service.ledger.items.values() if run.is_import]

    def end_import(self, **changes: object) -> None:
        """Let the only open import end with these fields."""
        (run,) = [run for run in self.imports() if not run.status.is_terminal]
        self.service.ledger.write(run, replace(run, **changes))  # type: ignore[arg-type]  # a test names its fields

    def _random_text(self, characters: int) -> str:
        return f"{next(self._random):0{characters}d}"


def _answer(response: dict[str, Any]) -> Answer:
    headers = {name.lower(): ", ".join(values) for name, values in response["multiValueHeaders"].items()}
    is_json = "json" in headers.get("content-type", "")
    return Answer(response["statusCode"], headers, json.loads(response["body"]) if is_json else response["body"])

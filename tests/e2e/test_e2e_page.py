"""The commands of docs/sam-local.md work as written."""

import json

from local.cloud.process import HOST
from local.cloud.sockets import find_free_port
from tests.e2e.sam_local_project import SamLocalProject, commands
from tests.json_output import json_documents

PAGE_TIMEOUT_SECONDS = 400
# Added before the page's last line, which stops the API: read the run by its id.
GET_RUN = """
ID=$(call "$API/v1/task-runs?limit=1" | grep -oE '"id": ?"[0-9a-f]{32}"' | grep -oE '[0-9a-f]{32}')
call "$API/v1/task-runs/$ID"
"""


def test_invoke_command_starts_a_run(clean_project: SamLocalProject) -> None:
    completed = clean_project.run(commands("invoke"), PAGE_TIMEOUT_SECONDS)
    assert completed.returncode == 0, completed.stderr
    response = json.loads(completed.stdout.strip().splitlines()[-1])
    assert response["statusCode"] == 202
    assert [item["status"] for item in clean_project.items()] == ["STARTING"]


def test_api_starts_one_run_replays_lists_and_explains_an_invalid_request(clean_project: SamLocalProject) -> None:
    earlier_ids = clean_project.glue_run_ids()
    script = commands("start-api").replace("3000", str(find_free_port(HOST)))
    script = script.replace("kill %1\n", GET_RUN + "kill %1\nwait || true\n")

    completed = clean_project.run(script, PAGE_TIMEOUT_SECONDS)

    assert completed.returncode == 0, completed.stdout + completed.stderr
    first, second, listing, problem, run = json_documents(completed.stdout)
    assert first["status"] == "STARTING"
    assert second["id"] == first["id"]
    assert "idempotency-replayed: true" in completed.stdout.lower()
    assert listing["items"] == [run]
    assert run["id"] == first["id"]
    assert (problem["status"], problem["title"]) == (422, "Invalid request")
    assert [error["pointer"] for error in problem["errors"]] == ["#/inputS3Path"]
    assert clean_project.new_statuses(earlier_ids) == ["STARTING"]

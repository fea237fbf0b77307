"""docs/sam-local.md, line by line: the blocks that call the functions do what the page says."""

import json

from local.cloud.process import find_free_port
from tests.e2e.sam_local_project import Laptop, lines
from tests.json_output import json_documents

SECONDS = 400
# Before the page's last line ends the API: the run, by its id.
LOOK_UP = """
ID=$(call "$API/v1/task-runs?limit=1" | grep -oE '"id": ?"[0-9a-f]{32}"' | grep -oE '[0-9a-f]{32}')
call "$API/v1/task-runs/$ID"
"""


def test_the_line_that_invokes_a_function_starts_a_run(quiet: Laptop) -> None:
    done = quiet.follow(lines("invoke"), SECONDS)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.strip().splitlines()[-1])
    assert answer["statusCode"] == 202
    assert [item["status"] for item in quiet.items()] == ["STARTING"]


def test_the_api_on_a_port_starts_once_replays_lists_and_names_a_mistake(quiet: Laptop) -> None:
    before = quiet.known_to_glue()
    script = lines("start-api").replace("3000", str(find_free_port())).replace("kill %1\n", LOOK_UP + "kill %1\nwait || true\n")

    done = quiet.follow(script, SECONDS)

    assert done.returncode == 0, done.stdout + done.stderr
    first, second, listed, refused, found = json_documents(done.stdout)
    assert first["status"] == "STARTING"
    assert second["id"] == first["id"]
    assert "idempotency-replayed: true" in done.stdout.lower()
    assert listed["items"] == [found]
    assert found["id"] == first["id"]
    assert (refused["status"], refused["title"]) == (422, "Invalid request")
    assert [one["pointer"] for one in refused["errors"]] == ["#/inputS3Path"]
    assert quiet.new_in_glue(before) == ["STARTING"]

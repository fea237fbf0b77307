"""`make sample`: upload a sample table to the running local cloud, and print the id of a new transform for it."""

import sys
from pathlib import Path
from uuid import uuid4

from local.cloud.lifecycle import STATE_FOLDER
from local.cloud.stack import Stack
from local.sample_table import create_transform, load_febrl, upload_table


def main(folder: Path) -> int:
    stack_file = folder / "stack.json"
    if not stack_file.exists():
        sys.stderr.write("No local cloud is running; `make up` starts one.\n")
        return 1
    stack = Stack.from_json(stack_file.read_text())
    records, database = load_febrl(), f"sample_{uuid4().hex[:8]}"
    upload_table(stack, records, database)
    sys.stdout.write(create_transform(stack, records.primary_key, database) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else STATE_FOLDER))

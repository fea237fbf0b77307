"""`make contracts`: generate docs/api, or check (--check) that it is up to date."""

import argparse
import sys

from contracts.documents import generated_files


def main() -> int:
    parser = argparse.ArgumentParser(prog="make contracts", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail if a file differs from what the code generates"
    )
    if parser.parse_args().check:
        return _check()
    for path, text in generated_files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return 0


def _check() -> int:
    drifted = [path for path, text in generated_files().items() if not path.exists() or path.read_text() != text]
    for path in drifted:
        sys.stderr.write(f"{path} is out of date: run make contracts\n")
    return 1 if drifted else 0


if __name__ == "__main__":
    sys.exit(main())

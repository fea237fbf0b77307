"""The texts that are compiled while a function starts, compiled now: handlers/ahead.py reads what is made here.

Which texts they are is seen by starting all functions, here and now, without any AWS; so a package that cannot start stops the
build. Code and patterns are the same on every processor.
"""

import ast
import marshal
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

# Prints the texts, and the patterns with their flags. What it imports before it listens goes unseen.
_START = """
from handlers import ahead

class Seen(dict):
    def get(self, asked, usual=None):
        self[asked] = True
        return usual

seen = ahead.Compiled(Seen(), Seen(), Seen())
ahead.begin(seen)
import handlers.announce, handlers.api, handlers.bus, handlers.schedule, core.aws.bus
handlers.api.build_app()
handlers.wiring.dependencies()
patterns = [(one, int(flags)) for one, flags in seen.patterns if isinstance(one, str | bytes)]
print([sorted(seen.executed), sorted(seen.evaluated), sorted(patterns, key=repr)])
"""
_SETTINGS = {
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_DEFAULT_REGION": "us-east-1",
    "LEDGER_TABLE": "ledger",
    "ALLOWED_S3_PREFIXES": "s3://bucket/",
    "POWERTOOLS_SERVICE_NAME": "build",
    "PYDANTIC_DISABLE_PLUGINS": "__all__",
}


def compiled_ahead(made_by: bytes, packages: Iterable[Path]) -> bytes:
    """The content of the file, for functions whose code and packages are in `packages`; `made_by` names this Python."""
    settings = _SETTINGS | {"PYTHONPATH": ":".join(map(str, packages))}
    started = subprocess.run([sys.executable, "-B", "-c", _START], env=settings, capture_output=True, text=True, check=False)  # noqa: S603
    if started.returncode:
        sys.exit(f"the functions cannot start:\n{started.stderr}")
    executed, evaluated, patterns = ast.literal_eval(started.stdout.splitlines()[-1])
    content = (
        {text: compile(text, "<string>", "exec") for text in executed},
        {text: compile(text, "<string>", "eval") for text in evaluated},
        {(pattern, flags): what_re_makes_of(pattern, flags) for pattern, flags in patterns},
    )
    return made_by + marshal.dumps(content)


def what_re_makes_of(pattern: str | bytes, flags: int) -> tuple[Any, ...]:
    """The arguments of `_sre.compile`, in marshal's own types."""
    compiler: Any = re._compiler  # type: ignore[attr-defined]  # noqa: SLF001
    sre, told = compiler._sre, list[tuple[Any, ...]]()  # noqa: SLF001
    compiler._sre = SimpleNamespace(**vars(sre) | {"compile": lambda *arguments: told.append(arguments)})  # noqa: SLF001
    try:
        compiler.compile(pattern, flags)
    finally:
        compiler._sre = sre  # noqa: SLF001
    ((text, all_flags, code, groups, names, indices),) = told
    return text, int(all_flags), [int(one) for one in code], groups, dict(names), indices

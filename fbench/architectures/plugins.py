"""Networks of a user's own, in one Python file that registers them when it is imported."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from fbench.architectures.registry import registering_from, source_digest
from fbench.core.errors import UserError, readable


def load_plugin(path: str | Path) -> ModuleType:
    """Import a Python file that registers architectures; the second time for one file does nothing.

    The file is imported under a name made of its path, so that equal file names do not clash. If it fails,
    the names that it had registered are free again.

    Returns:
        The imported module.

    Raises:
        UserError: there is no such file, it raises, or it registers a taken name; the file and the reason are
        named.
    """
    if readable(str(path)) != str(path):
        raise UserError(
            f"The path of the plug-in {readable(str(path))} is not UTF-8 text of one line, and records name it; rename "
            "it."
        )
    file = Path(path).resolve()
    name = f"fbench_plugin_{hashlib.sha256(str(file).encode()).hexdigest()[:16]}"
    if name in sys.modules:
        return sys.modules[name]
    if not file.is_file():
        raise UserError(f"There is no plug-in file {path}; give the path of a Python file.")
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise UserError(f"The plug-in {path} is no Python file; give one that ends in .py.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        with registering_from(source_digest(file.read_bytes())):
            spec.loader.exec_module(module)
    except BaseException as error:
        del sys.modules[name]
        if isinstance(error, UserError):
            raise UserError(f"The plug-in {path} cannot be loaded: {error}") from error
        if isinstance(error, Exception | SystemExit):
            reason = f"{type(error).__name__}: {error}"
            raise UserError(f"The plug-in {path} raised {reason}; mend the file.") from error
        raise
    return module

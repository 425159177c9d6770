from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("torch", "pandas", "matplotlib", "scipy", "numpy")


@pytest.mark.parametrize(
    "arguments", [["--help"], ["list"], ["run", "--help"], ["report", "--help"], ["claims", "--help"]]
)
def test_help_and_list_import_nothing_heavy(arguments: list[str]) -> None:
    """The start-up time that users see is kept by what is imported, which does not depend on the machine's load."""
    code = (
        "import sys\n"
        f"sys.argv = ['fbench', *{arguments!r}]\n"
        "from fbench.cli.app import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print('HEAVY', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip().splitlines()[-1] == "HEAVY []", done.stdout + done.stderr

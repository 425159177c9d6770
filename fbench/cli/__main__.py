"""``python -m fbench.cli``: the command line where the script is not on the path."""

from fbench.cli.app import main

main()

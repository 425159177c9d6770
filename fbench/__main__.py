"""``python -m fbench``: the command line where the script is not on the path."""

from fbench.cli.app import main

main()

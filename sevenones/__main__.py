"""`python -m sevenones` is the command `sevenones`."""

from sevenones.cli import main

main()

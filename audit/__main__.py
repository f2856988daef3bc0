"""`python -m audit` is `faceaudit`."""

from audit.cli import main

main()

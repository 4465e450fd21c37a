"""``python -m scoreline`` is ``scoreline``."""

from scoreline.cli import main

main()

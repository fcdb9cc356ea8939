"""`python -m wordvec` is the command `wordvec`."""

from wordvec.cli import main

main()

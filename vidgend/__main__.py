"""`python -m vidgend`. Never run this file by its path: `vidgend/http` would shadow the standard library."""

from vidgend.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    main()

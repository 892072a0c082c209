"""`python -m compose`: the same as the command `compose`."""

from compose.cli.main import main

if __name__ == "__main__":
    main()

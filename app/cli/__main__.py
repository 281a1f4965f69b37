"""`python -m app.cli`: how `up` starts its child processes."""

from app.cli import main

if __name__ == "__main__":
    main()

"""`python -m app.cli`, as `up` starts its children."""

from app.cli import main

if __name__ == "__main__":
    main()

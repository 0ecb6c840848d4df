"""`python -m mmbot` is the `mmbot` command."""

from __future__ import annotations

from mmbot.cli import main

if __name__ == "__main__":
    main()

"""The process: composition, loop, dispatch, shutdown."""

"""The arq workers: the dialer, which always runs, and jobs."""

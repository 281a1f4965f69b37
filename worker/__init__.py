"""The arq workers: the standing dialer, and jobs."""

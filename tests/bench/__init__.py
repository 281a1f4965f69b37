"""Benchmarks: each prints a product figure beside its yardstick, measured interleaved in the same run."""

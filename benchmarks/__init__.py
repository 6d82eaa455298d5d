"""Benchmarks: side by side with peers in one run, quoted as ratios of medians."""

"""Searching the variant space: variants are built, proven, timed, and the choice is remembered."""

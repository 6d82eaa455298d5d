"""Phase 5: a variant becomes source, a compiled library in the disk cache, and something callable."""

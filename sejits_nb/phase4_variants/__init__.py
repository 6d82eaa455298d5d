"""Phase 4: PAST -> PAST, one transformation a file, and the space of variants that they span."""

"""Phase 2: DAST -> DAST, one pass a file; each works on the statements of one straight body."""

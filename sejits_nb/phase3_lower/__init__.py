"""Phase 3: a platform is chosen, and the DAST becomes a platform AST (PAST)."""

"""Phase 1: a cell or a Python function becomes a domain AST."""

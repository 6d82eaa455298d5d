"""The two immutable trees: domain ASTs (open, one per language) and the platform AST (closed)."""

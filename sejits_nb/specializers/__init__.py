"""One folder a domain, the same file names in each; registered by entry point."""

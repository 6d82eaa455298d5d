"""One file a platform, each a ``Platform(...)`` value; registered by entry point."""

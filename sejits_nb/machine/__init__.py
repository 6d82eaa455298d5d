"""The machine we run on: what it is; what it can do is measured in a later page."""

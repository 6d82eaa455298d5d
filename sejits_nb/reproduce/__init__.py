"""What a user takes away from a kernel: a script that makes its result anew, and its generated code."""

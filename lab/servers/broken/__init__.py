"""One bug a file, on top of the reference. Each names the scenarios that must catch it; a test demands those."""

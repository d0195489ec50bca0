"""Tests as one writes them by hand. They are measured, and are none of the lab's own."""

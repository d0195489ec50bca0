"""One file a scenario; nothing to register."""

"""The right answer, to be read in this order: app, session, manager, heartbeat, presence, reaper."""

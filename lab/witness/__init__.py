"""The witness: what runs inside the server's process and says what became of each connection."""

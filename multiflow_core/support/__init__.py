"""Support: files, memory, threads and names, for everybody. Uses no other room."""

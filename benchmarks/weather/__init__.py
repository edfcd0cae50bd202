"""Bad weather: damaged files and addresses, processes that are killed, a full disk, many visitors at once."""

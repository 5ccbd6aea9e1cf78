"""What ci/bench --tcp and bench/idle have in common: the servers, and how they are measured over loopback TCP."""

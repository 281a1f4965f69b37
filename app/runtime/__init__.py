"""What every process holds: configuration, clock, database, queue, feed, logs."""

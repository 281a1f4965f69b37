"""What every process uses: configuration, clock, database, queue, live feed, logs."""

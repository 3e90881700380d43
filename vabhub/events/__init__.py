"""What happened, told to every process: typed topics and the bus over Redis."""

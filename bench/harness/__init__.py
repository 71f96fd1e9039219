"""What bench/run is made of; each module's head says what it is for."""

"""A run as plain data: the plan of the regions and the steps of clients and faults."""

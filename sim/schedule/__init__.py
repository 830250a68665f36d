"""The plain data of a run: the plan of its regions, and the steps of clients and faults."""

"""Drivers of client connections: ports, sockets and the process."""

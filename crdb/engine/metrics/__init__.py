"""What a region measures about its commands, clients and memory."""

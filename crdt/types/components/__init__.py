"""The parts that types are made of: a type holds them or extends them, and clients see none."""

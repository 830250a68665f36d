"""The serialisation of Redis: values as in RDB files and in the payloads of DUMP."""

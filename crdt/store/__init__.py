"""The keys of one replica: the keyspace, its snapshots, merging and garbage collection."""

"""The interface for embedding programs: `Replica`, its handles, and the exchange of changes."""

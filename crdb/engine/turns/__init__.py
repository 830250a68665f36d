"""The turns of a server: their phases, the journal, and the pace of sealing."""

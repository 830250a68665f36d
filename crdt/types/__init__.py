"""One module per replicated type: its state, how an effect changes it and how two copies merge."""

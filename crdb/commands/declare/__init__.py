"""What a command says about itself: syntax, keys and documentation."""

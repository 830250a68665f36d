"""The command line: options, the screen and the demo."""

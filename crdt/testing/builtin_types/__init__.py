"""The built-in types: their commands, their specifications, and checks of their structure."""

"""The configuration file of a deployment and its checks."""

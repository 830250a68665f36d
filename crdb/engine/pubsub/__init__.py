"""Publish and subscribe: who subscribes to what, and the delivery of messages."""

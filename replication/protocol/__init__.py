"""The protocol of links: frames, their bytes, and the handshake."""

"""Commands on JSON documents."""

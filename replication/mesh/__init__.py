"""All links of a node: admission, gap repair, recovery, and questions to all peers."""

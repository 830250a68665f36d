"""Collections: tables of many keys, blocks for lists, and the key orders of SCAN and sampling."""

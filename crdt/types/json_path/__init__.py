"""JSONPath: parsing of paths, and walks over the places of a JSON document."""

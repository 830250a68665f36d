"""The parameters of CONFIG: their names, values and effects."""

"""Custom types, and documents of other libraries, in the form that `check_type` runs."""

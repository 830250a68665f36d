"""Types of users, and of other libraries, in the form that `check_type` runs."""

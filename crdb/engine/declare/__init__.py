"""Declarations of commands: the notation of arguments, and what follows from it."""

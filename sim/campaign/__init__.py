"""Many runs: options drawn from a seed, verdicts, shrinking and minimum counts."""

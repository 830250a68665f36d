"""The replicated types, a module each: state, effects and merging. `components` has their parts."""

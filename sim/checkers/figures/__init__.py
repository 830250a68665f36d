"""Promises about what a region reports of its peers and of itself: ages, lags, round trips."""

"""The mode in which one client tracks keys (CLIENT TRACKING)."""

from __future__ import annotations


class TrackingMode:
    """The options of one client that tracks keys."""

    __slots__ = (
        "is_broadcast",
        "is_caching_set",
        "is_opt_in",
        "is_opt_out",
        "is_redirect_broken",
        "prefixes",
        "redirect",
        "skips_own",
    )

    def __init__(self) -> None:
        self.is_broadcast = False
        """BCAST: the client learns of all changed keys with one of `prefixes`, read or not."""
        self.is_opt_in = False
        """OPTIN: only reads that follow CLIENT CACHING YES are tracked."""
        self.is_opt_out = False
        """OPTOUT: reads that follow CLIENT CACHING NO are not tracked."""
        self.skips_own = False
        """NOLOOP: the client does not learn of its own changes."""
        self.is_caching_set = False
        """True from CLIENT CACHING until the end of the next command or transaction."""
        self.redirect = 0
        """The id of the client that receives the invalidations, or 0 for this client."""
        self.is_redirect_broken = False
        """True once an invalidation could not be sent because that client is gone."""
        self.prefixes: dict[bytes, None] = {}

    def tracks_reads(self) -> bool:
        """Return whether the keys that the present command reads are tracked."""
        if self.is_broadcast or (self.is_opt_in and not self.is_caching_set):
            return False
        return not (self.is_opt_out and self.is_caching_set)

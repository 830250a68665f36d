"""The text output of a campaign: the report of one run, and the summary of many runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from sim.campaign.run import Result, Verdict
from sim.engine.events import SECOND
from sim.faults.kinds import FAULTS
from sim.world.coverage_probes import NAMES

PROMISE_SHARE: Final = 4
RARE_SHARE: Final = 100
TOO_LITTLE: Final = 3
"""The exit status of a campaign whose coverage is too low."""
REASON_MAX = 600  # characters of a reason in a table of many runs
RECORD_MAX: Final = 160
"""The characters of a record of the trace that are shown. `--trace` shows all."""


def print_result(result: Result, cpu_seconds: float) -> Iterator[str]:
    """Yield the lines that report one run."""
    yield ""
    if result.tail:
        for line in result.tail:
            yield f"  {line if len(line) <= RECORD_MAX else line[: RECORD_MAX - 1] + '…'}"
        yield ""
    yield f"writes        {result.writes}"
    yield f"frames        {result.frames}"
    yield f"faults        {count_text(result.fired)}"
    yield f"probes        {count_text(result.probes)}"
    yield f"checked       {count_text(result.looked)}"
    unchecked = [name for name, count in result.looked.items() if not count]
    if unchecked:
        yield f"not checked   {', '.join(unchecked)}"
    if result.converged_in >= 0:
        yield f"converged     {result.converged_in / SECOND:.3f} s after all was healed"
    yield f"trace         {result.digest}"
    yield speed_text(result.virtual / SECOND, cpu_seconds)
    yield f"verdict       {verdict_text(result)}"
    if result.verdict is Verdict.INVALID:
        yield "              the same command does the same again"


def verdict_text(result: Result) -> str:
    """Return the verdict, with the violated invariant and the reason if there are any."""
    if result.promise:
        return f"{result.verdict}: {result.promise}: {result.reason}"
    return f"{result.verdict}: {result.reason}" if result.reason else str(result.verdict)


def count_text(counts: Mapping[str, int]) -> str:
    """Return the counts as text."""
    return ", ".join(f"{name} {count}" for name, count in counts.items() if count) or "none"


def speed_text(virtual_seconds: float, cpu_seconds: float) -> str:
    """Return the ratio of virtual time to CPU time as text."""
    rate = virtual_seconds / cpu_seconds if cpu_seconds else 0.0
    return (
        f"speed         {virtual_seconds:.1f} virtual s in {cpu_seconds:.2f} CPU s: {rate:.0f} to 1"
    )


def summary_line(result: Result) -> str:
    """Return the line that reports one of many runs."""
    text = verdict_text(result)
    return f"{result.seed:>8}  {text[:REASON_MAX]}"


def summarise(results: Sequence[Result], cpu_seconds: float) -> Iterator[str]:
    """Yield the lines that summarise many runs: totals, failed seeds, and gaps in the coverage."""
    by_verdict = {each: sum(r.verdict is each for r in results) for each in Verdict}
    fired = add_counts(result.fired for result in results)
    seen = add_counts(result.probes for result in results)
    looked = add_counts(result.looked for result in results)
    yield ""
    yield f"runs          {len(results)}: {count_text({str(k): v for k, v in by_verdict.items()})}"
    yield f"writes        {sum(result.writes for result in results)}"
    yield f"faults        {count_text(fired)}"
    yield f"probes        {count_text(seen)}"
    yield f"checked       {count_text(looked)}"
    missing = [name for name in (*FAULTS, *NAMES) if not fired.get(name) and not seen.get(name)]
    if missing:
        yield f"never seen    {', '.join(missing)}"
    yield speed_text(sum(result.virtual for result in results) / SECOND, cpu_seconds)
    failed = [str(result.seed) for result in results if result.verdict is Verdict.INVALID]
    if failed:
        yield f"failed        {' '.join(failed)}"


def shortfalls(results: Sequence[Result]) -> Iterator[str]:
    """Yield a line for each invariant, fault or coverage probe that occurred in too few runs.

    An invariant must be checked in one of PROMISE_SHARE runs. A kind of fault and a coverage probe
    must occur in one of RARE_SHARE runs. A campaign with fewer runs than a share is exempt from it.
    """
    for counts, names, share, what in (
        ([r.looked for r in results], results[0].looked, PROMISE_SHARE, "put to the test"),
        ([r.fired for r in results], FAULTS, RARE_SHARE, "done"),
        ([r.probes for r in results], NAMES, RARE_SHARE, "seen"),
    ):
        wanted = len(results) // share
        for name in names:
            found = sum(1 for each in counts if each.get(name))
            if found < wanted:
                yield f"{name}: {what} in {found} of {len(results)} runs, not {wanted}"


def add_counts(several: Iterator[Mapping[str, int]]) -> dict[str, int]:
    """Return the sum of several runs' counts, by name."""
    total: dict[str, int] = {}
    for counts in several:
        for name, count in counts.items():
            total[name] = total.get(name, 0) + count
    return total


def exit_status(results: Sequence[Result]) -> int:
    """Return the exit status: 0 if all runs are valid, 1 if any is invalid, otherwise 2."""
    verdicts = {result.verdict for result in results}
    if Verdict.INVALID in verdicts:
        return 1
    return 0 if verdicts == {Verdict.VALID} else 2

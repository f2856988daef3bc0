"""Records side by side: what is comparable, how their rates and disparities differ, and how sure that is.

Decisions of this room:

- The first record is the one that every other is compared with.
- Rates are matched by metric, by how and at which target their threshold was set, and by group. FMR of everyone at a
  threshold that was set at a target FMR is left out: it equals the target by construction.
- How the covariance of two rates is known decides the interval, and stands beside it: *paired* (exact, clustered by
  person: what each person added is in this cache, `audit.influence`), *independent* (benchmarks that share no people),
  *bounded* (the people are, or may be, shared, and nothing more is known: standard errors are added, which by Cauchy
  and Schwarz no covariance exceeds).
- Of one model with two preparations of the same pictures, a change of a disparity is split into what detection and what
  the templates add (`audit.side_by_side.splits`).
- p-values are adjusted by Holm's method over a family: metric x operating point x pair of records, all groups.
- "differs" needs an adjusted p of at most .05; anything else is "no evidence that it differs", with the ratio that
  these data would have found four times in five. It is never a claim of equality.
"""

from audit.comparison import Comparison
from audit.side_by_side.compare import compare

__all__ = ["Comparison", "compare"]

"""A policy judged on a record: kept, violated, or not to be told from these data.

Decisions of this room:

- A finding is PASSED only if its interval lies wholly on the good side of the limit at the rule's confidence, VIOLATED
  only if wholly on the bad side, else INCONCLUSIVE. Too little support is INCONCLUSIVE, whatever the interval says.
- Several groups under one rule: the rule is kept only if *every* group keeps it, so passing needs no adjustment (an
  intersection-union test: Berger, 1982, Technometrics 24:295-300). Violations are adjusted by Holm's method over the
  groups of the rule: one that every group keeps is called violated with probability at most 1 - confidence. Adjusting
  can turn VIOLATED into INCONCLUSIVE and never anything into PASSED. Rules are not adjusted for each other.
- A ratio to the best group never names that group from the data: VIOLATED means that the ratio to *some* group of the
  family is too large (Bonferroni over those groups), PASSED that the ratios to *all* of them are small enough.
- Bounds at any confidence are computed from what the record carries (`audit.policy.bounds`). Intervals of disparity
  measures are taken as recorded; a policy that asks for more confidence than they have is refused.
- Of records that may share people nothing is assumed about their covariance: standard errors are added.
"""

from audit.policy.judge import judge
from audit.policy.outcome import Finding, Outcome
from audit.policy.rules import Policy, read

__all__ = ["Finding", "Outcome", "Policy", "judge", "read"]

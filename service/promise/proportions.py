"""What a count of errors says about their true share: exact intervals, pairs, and a test that may be looked at after every case."""

from __future__ import annotations

import math
from functools import lru_cache

_Z = 1.959963984540054
"""The normal quantile of 97.5 %."""
_STEPS = 60
"""Halvings of the unit interval: more than a double can hold."""
_MULTIPLES = (1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0)


@lru_cache(maxsize=10_000)
def exact_interval(wrong: int, cases: int, confidence: float = 0.95) -> tuple[float, float]:
    """Answer the Clopper-Pearson interval of a share; (0, 1) where nothing was counted.

    The bounds are quantiles of the beta distribution (Clopper and Pearson, Biometrika 26, 1934).
    """
    tail = (1 - confidence) / 2
    low = 0.0 if wrong == 0 else _beta_quantile(tail, wrong, cases - wrong + 1)
    high = 1.0 if wrong == cases else _beta_quantile(1 - tail, wrong + 1, cases - wrong)
    return low, high


def paired_interval(both: int, first: int, second: int, neither: int) -> tuple[float, float]:
    """Answer the 95 % interval of how much more often the second of two is right on the same cases; (-1, 1) where there are none.

    `first` and `second` count the cases that one alone gets right. Newcombe's method 10 (Statistics in Medicine 17, 1998):
    Wilson's intervals of both shares, joined by their correlation. It holds for few cases, and for none that differ.
    """
    cases = both + first + second + neither
    if not cases:
        return -1.0, 1.0
    shares = (both + first) / cases, (both + second) / cases
    (low_1, high_1), (low_2, high_2) = (_wilson(share, cases) for share in shares)
    margins = (both + first) * (second + neither) * (both + second) * (first + neither)
    excess = both * neither - first * second
    corrected = max(excess - cases / 2, 0.0) if excess > 0 else float(excess)
    tie = corrected / math.sqrt(margins) if margins else 0.0
    down_1, up_1 = shares[0] - low_1, high_1 - shares[0]
    down_2, up_2 = shares[1] - low_2, high_2 - shares[1]
    gain = shares[1] - shares[0]
    below = math.sqrt(max(down_2**2 - 2 * tie * down_2 * up_1 + up_1**2, 0.0))
    above = math.sqrt(max(up_2**2 - 2 * tie * up_2 * down_1 + down_1**2, 0.0))
    return max(gain - below, -1.0), min(gain + above, 1.0)


def evidence_against(target: float, wrong: int, cases: int) -> float:
    """Weigh the cases against the promise that at most a share `target` is wrong; 20 is what a test at 5 % asks for.

    A mixture of likelihood ratios for larger shares (Robbins, Annals of Mathematical Statistics 41, 1970). While the promise
    holds its expectation stays at 1 or below after every further case, so by Ville's inequality the chance that it *ever* reaches
    1 / alpha is at most alpha, however often one looks. A Clopper-Pearson bound looked at after each case gives no such warrant.
    """
    shares = [share for share in (target * multiple for multiple in _MULTIPLES) if share < 1] or [(1 + target) / 2]
    right = cases - wrong
    logs = [wrong * math.log(share / target) + right * math.log((1 - share) / (1 - target)) for share in shares]
    top = max(logs)
    return math.exp(min(top, 700.0)) * sum(math.exp(value - top) for value in logs) / len(logs)


def _wilson(share: float, cases: int) -> tuple[float, float]:
    middle, spread = share + _Z**2 / (2 * cases), _Z * math.sqrt(share * (1 - share) / cases + _Z**2 / (4 * cases**2))
    return (middle - spread) / (1 + _Z**2 / cases), (middle + spread) / (1 + _Z**2 / cases)


def _beta_quantile(share: float, a: float, b: float) -> float:
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if _beta_below(middle, a, b) < share else (low, middle)
    return (low + high) / 2


def _beta_below(x: float, a: float, b: float) -> float:
    """Regularised incomplete beta function by its continued fraction (Numerical Recipes, section 6.4)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta_below(1 - x, b, a)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)) / a
    tiny = 1e-300
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1) or tiny)
    fraction = d
    for m in range(1, 500):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / (1 + term * d or tiny)
            c = 1 + term / c or tiny
            fraction *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return front * fraction

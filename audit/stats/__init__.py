"""Statistics of dependent proportions: numpy and scipy, arrays in, small frozen values out.

This room knows neither faces nor thresholds. A *subject* is the unit of independence, a *cell* a set of trials whose
share of errors is wanted, and a *pair* a trial between two subjects. Randomness comes in as an argument.
"""

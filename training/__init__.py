"""From labelled complaints to a promoted artifact; no web, no SQL.

How a probability is made and what it promises, in the order in which to read it:

1. `fit`: words become features and features scores, one linear machine an agency.
2. `calibrate`: models that had not seen a complaint score it, fold by fold; one temperature makes probabilities of scores (Guo et
   al. 2017).
3. `trust.fit`: a curve of three numbers says how often the first agency of such a probability is right (`model.reliability`: beta
   calibration, Kull et al. 2017).
4. `promise`: how sure an answer must be to go out by itself, by exact tests (Learn-then-Test, Angelopoulos et al. 2021). Where a
   desk's dated verdicts are enough, `trust.learn` takes the place of 3 and 4; `keeping` decides which.
5. `train` does all of this; `evaluate` and `compare` judge what came of it, and `replay` says what may be claimed.
"""

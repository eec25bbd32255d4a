"""From labelled complaints to a promoted artifact; no web, no SQL.

How a probability is made and what it promises, in the order in which to read it:

1. `fitting.fit`: words become features and features scores, one linear machine an agency.
2. `fitting.calibrate`: models that had not seen a complaint score it, fold by fold; one temperature makes probabilities of scores
   (Guo et al. 2017).
3. `promises.trust.fit`: a curve of three numbers says how often the first agency of such a probability is right
   (`model.reliability`: beta calibration, Kull et al. 2017).
4. `promises.promise`: how sure an answer must be to go out by itself, by exact tests (Learn-then-Test, Angelopoulos et al. 2021).
   Where a desk's dated verdicts are enough, `promises.trust.learn` takes the place of 3 and 4; `promises.keeping` decides which.
5. `train` does all of this. `judging` says what came of it, and `replay` what may be claimed.
"""

"""ANSWERS, beside the pipeline: the marts as they have to be, reckoned in plain Python.

The company is synthetic, so the truth about it is known. What is here comes straight from the
generator and shares nothing with the transform step: no SQL, no code. Obviously right rather than
fast. Start reading at `key`; what the words mean is in `spells`, `movements` and `plan_history`.
"""

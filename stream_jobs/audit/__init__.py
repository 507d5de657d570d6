"""The completeness audit: raw events, outcomes and Pinot's rows compared by where they came from.

Three comparisons, since any two would miss something:

1. Coverage of offsets (coverage.py). Everything the job writes carries the raw record it came from, and every raw
   record that the job has committed has exactly one outcome: two entries, a rejection, or a note that it counts nothing.
   The audit judges each raw record by the shared rules and compares the outcome's bytes. What is under way is all that it
   keeps in memory; a record is judged missing only when its outcome can come no more (frontier.py).
2. What offsets cannot tell (history.py): that two raw records of one id both counted, that a duplicate is one of nothing,
   that a reversal takes effect which must not. Ids of the dedup window are kept as 16 bytes each on disk (ids.py); what
   looks wrong there is looked at exactly, in Pinot, before it is told.
3. Entries against Pinot (pinot_check.py): each closing by its raw offsets, in count, exact sum and content hash, which
   Pinot computes itself; and every hour again in turns (old_hours.py), since what was right may be damaged later.

It may be deleted and begun anew at any moment: beginning.py says from which offsets on it vouches then.
"""

"""The completeness audit: raw events, entries and Pinot's rows compared, id by id and interval by interval.

Two comparisons, since either alone would miss something:

1. Raw against `account-entries`, id by id (matching.py). An event that passes the rules and is the first of its
   id must leave exactly its two entries. Which occurrence is the first is the job's choice wherever an id came
   more than once before it was counted, so the entries may show any of them; once one is matched, the id is
   remembered on disk for the dedup window, and what comes later must leave nothing. Whatever does not match is
   judged only when it can change no more (frontier.py): all that the raw topic held when the check began is read,
   the job has finished it, and all entries written until then are read.
   A reversal waits for the verdict on its transfer, and is judged by what that said (reversal_fates.py); what is
   held for a transfer that has not come is counted, not found wrong.
2. Entries against Pinot, by interval of event time, kafka partition and direction (intervals.py, pinot_tier.py):
   count, exact sum, and an order-free exact sum of every row's hash times its amount. Pinot computes all three itself,
   so no row travels until something differs; then the rows of that interval are fetched to name the ids.

The raw side keeps the same three numbers, so an interval is also compared as a whole (raw = entries, RECEIVED =
SENT): a fault of the matching would show as UNEXPLAINED.

An interval is 10 s of event time. It is closed when its end is past; an event that comes later opens it again, and
it is compared anew. Old intervals are compared again in turns, since what was right may be damaged later.
"""

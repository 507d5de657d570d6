"""What stands before a store, and the stores themselves.

A store query is shared by four layers, each for something else, and by no other: `docs/benchmarks.md`
has what each gains. The response cache's flights: all who ask for one answer. `sharing`: the fields of
one operation. `rows`: all questions about one small account. `pinot.remembered`: the rankings of one
large account, one after the other.
"""

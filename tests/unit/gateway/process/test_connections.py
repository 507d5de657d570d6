"""How connections are counted and looked at, without any."""

from __future__ import annotations

from gateway.process.connections import TURNS, Connections, Limits


class Open:
    """A connection, or what became of it."""

    def __init__(self) -> None:
        self.looked = 0
        self.closing = False

    def look(self, now_s: float) -> None:
        self.looked += 1

    def is_closing(self) -> bool:
        return self.closing


def test_each_connection_is_looked_at_once_in_so_many_turns_and_a_turn_is_short() -> None:
    among, them = Connections(Limits()), [Open() for _ in range(995)]
    for _ in range(TURNS):
        before = sum(each.looked for each in them)
        among.look(them, 0)
        assert sum(each.looked for each in them) - before <= 100
    assert {each.looked for each in them} == {1}


def test_a_connection_that_speaks_another_protocol_counts_until_it_ends() -> None:
    among, handed = Connections(Limits(most_of_address=1)), Open()
    assert among.enter("203.0.113.9")
    among.hand_on("203.0.113.9", handed)
    among.look((), 0)
    assert (among.open, among.enter("203.0.113.9"), among.enter("203.0.113.8")) == (1, False, True)
    handed.closing = True
    among.look((), 1)
    assert (among.open, among.enter("203.0.113.9")) == (1, True)


def test_nothing_is_kept_of_addresses_that_left() -> None:
    among = Connections(Limits())
    for number in range(1_000):
        address = f"2001:db8:{number:x}::1"
        assert among.enter(address)
        among.leave(address)
    assert (among.open, len(among._of_address)) == (0, 0)

"""What an account id may look like, so that no two accounts look the same by a character that nobody sees; pure.

The characters are listed rather than asked of Unicode's tables, since those differ between versions of Python, and an
event must be judged alike wherever that is done.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

MAX_LENGTH: Final = 64  # code points
# Controls (Cc), format characters (Cf, joiners inside words too), line and paragraph separators (Zl, Zp), every blank
# but the space (Zs), private use (Co) and halves of surrogate pairs (Cs), what has no glyph of its own (the property
# Default_Ignorable_Code_Point and the blank of Braille), and noncharacters of the BMP. What is not yet assigned is allowed.
HIDDEN: Final = (
    (0x0000, 0x001F), (0x007F, 0x00A0), (0x00AD, 0x00AD), (0x034F, 0x034F), (0x0600, 0x0605), (0x061C, 0x061C),
    (0x06DD, 0x06DD), (0x070F, 0x070F), (0x0890, 0x0891), (0x08E2, 0x08E2), (0x115F, 0x1160), (0x1680, 0x1680),
    (0x17B4, 0x17B5), (0x180B, 0x180F), (0x2000, 0x200F), (0x2028, 0x202F), (0x205F, 0x206F), (0x2800, 0x2800),
    (0x3000, 0x3000), (0x3164, 0x3164), (0xD800, 0xF8FF), (0xFDD0, 0xFDEF), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0), (0xFFF0, 0xFFFB), (0xFFFE, 0xFFFF), (0x110BD, 0x110BD), (0x110CD, 0x110CD),
    (0x13430, 0x1343F), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
    (0xF0000, 0x10FFFF),
)  # fmt: skip
_CLASS: Final = "".join(f"{re.escape(chr(a))}-{re.escape(chr(b))}" for a, b in HIDDEN)
_HIDDEN = re.compile(f"[{_CLASS}]").search
_ASCII = re.compile(r"(?! )[ -~]{1,64}(?<! )").fullmatch  # most ids, and quicker to tell
_ANY = re.compile(f"(?! )[^{_CLASS}]{{1,{MAX_LENGTH}}}(?<! )").fullmatch


def is_account_id(value: object) -> bool:
    """Whether a field's value is an account id."""
    return type(value) is str and (
        _ASCII(value) is not None
        or (_ANY(value) is not None and unicodedata.is_normalized("NFC", value))
    )


def account_id_fault(account_id: str) -> str:
    """What is wrong with a text that is none, as the end of a sentence that begins with its field."""
    if not 1 <= len(account_id) <= MAX_LENGTH:
        return f"has {len(account_id)} characters, 1 to {MAX_LENGTH} are allowed"
    found = _HIDDEN(account_id)
    if not found:
        blank = " " in (account_id[0], account_id[-1])
        return "has a blank at an end" if blank else "is not in Unicode's form NFC"
    control = unicodedata.category(found[0]) == "Cc"
    kind = "a control character" if control else "a character that is not seen"
    return f"has {kind}, U+{ord(found[0]):04X}"

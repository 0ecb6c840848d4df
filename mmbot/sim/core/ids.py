"""Ids in the form of a uuid, made from the exchange's own random numbers."""

from __future__ import annotations

from random import Random


class Ids:
    """80 random bits each, and a middle that one exchange keeps."""

    def __init__(self, rng: Random) -> None:
        self._bits = rng.getrandbits
        middle = f"{rng.getrandbits(48):012x}"
        self._middle = f"-{middle[:4]}-4{middle[4:7]}-a{middle[7:10]}-"

    def new(self) -> str:
        text = self._bits(80).to_bytes(10, "big").hex()
        return f"{text[:8]}{self._middle}{text[8:]}"

"""Which deliveries may be acknowledged: those of which nothing is outstanding in the bus any more."""

from __future__ import annotations

from collections import deque

from gateway.chunk import Receipt


class Token:
    """One batch on its way, and the receipts that wait for it and all before it."""

    __slots__ = ("done", "receipts")

    def __init__(self, receipts: list[Receipt]) -> None:
        self.receipts = receipts
        self.done = False


class Outstanding:
    """Batches whose samples some device still keeps, oldest first. Batches may be done in any order;
    a receipt is released when its own and all older ones are."""

    def __init__(self) -> None:
        self._tokens: deque[Token] = deque()

    def __len__(self) -> int:
        return len(self._tokens)

    def begin(self, receipts: list[Receipt]) -> Token:
        """A batch is on its way. Each receipt must be held already."""
        token = Token(receipts)
        self._tokens.append(token)
        return token

    def finish(self, token: Token) -> None:
        """The bus has this batch."""
        token.done = True
        while self._tokens and self._tokens[0].done:
            for receipt in self._tokens.popleft().receipts:
                receipt.release()

    def wait_for_all(self, receipt: Receipt) -> bool:
        """Hold the receipt until all that is outstanding now is done. False: nothing is."""
        if not self._tokens:
            return False
        receipt.hold()
        self._tokens[-1].receipts.append(receipt)
        return True

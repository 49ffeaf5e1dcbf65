"""How a process proves itself to a listener that speaks TLS, and whom it believes."""

from __future__ import annotations

import ssl
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class ClientTls:
    """PEM: the authority that is believed, and the certificate with its key that are shown."""

    ca: str
    certificate: str
    key: str = field(repr=False)

    @staticmethod
    def of(found: dict[str, Any]) -> ClientTls:
        """From a credential's file. Raises KeyError."""
        return ClientTls(str(found["ca"]), str(found["certificate"]), str(found["key"]))

    def context(self) -> ssl.SSLContext:
        """A context that believes this authority alone. Raises ssl.SSLError for what is no certificate."""
        context = ssl.create_default_context(cadata=self.ca)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # Python reads a certificate of one's own from a file only: this one is gone with the block, and 0600.
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(self.key + self.certificate)
            file.flush()
            context.load_cert_chain(file.name)
        return context

    def files(self, folder: Path, stem: str) -> dict[str, str]:
        """Written for a program that wants files: their paths by the server's words."""
        from bus.secret import write_secret

        found = {}
        for word, text in (("ca_file", self.ca), ("cert_file", self.certificate), ("key_file", self.key)):
            path = folder / f"{stem}-{word.removesuffix('_file')}.pem"
            write_secret(path, text)
            found[word] = str(path)
        return found

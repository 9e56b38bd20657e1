"""A token for JupyterLab, also where the user's configuration has none."""

from __future__ import annotations

import secrets

from jupyter_server.auth.identity import PasswordIdentityProvider


class TokenIdentityProvider(PasswordIdentityProvider):
    """Jupyter's own; it makes a token also where the user's configuration has an empty one."""

    def __init__(self, **options: object):
        super().__init__(**options)
        if not self.token:
            self.token = secrets.token_hex(24)
            self.token_generated = True  # so that Jupyter prints the address with the token

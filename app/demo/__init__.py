"""The rehearsal: the embedded GitHub, the app and a sample repository, driven as a maintainer would drive them."""

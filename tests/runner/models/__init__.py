"""The model proxy against scripted providers on loopback, over real sockets and in a real sandbox."""

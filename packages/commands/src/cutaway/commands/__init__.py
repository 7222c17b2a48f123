"""The engine, the keyspace, and every data command, without a socket."""

"""The Redis serialization protocol: request parser, reply encoder, reply parser."""

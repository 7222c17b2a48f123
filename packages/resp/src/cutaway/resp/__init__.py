"""The Redis serialization protocol: request parser, reply encoder, reply parser."""

from cutaway.resp.encoder import Encoder, encode_request
from cutaway.resp.fast_parser import best_request_parser
from cutaway.resp.limits import RequestLimits
from cutaway.resp.parser import ProtocolError, QueryBufferError, RequestParser
from cutaway.resp.replies import (
    NO_REPLY,
    NULL_ARRAY,
    Attributed,
    BigNumber,
    MapReply,
    NoReply,
    NullArray,
    PairMap,
    Pairs,
    Push,
    Raw,
    Reply,
    ReplyError,
    ReplyValue,
    SetReply,
    Verbatim,
)

__all__ = [
    "NO_REPLY",
    "NULL_ARRAY",
    "Attributed",
    "BigNumber",
    "Encoder",
    "MapReply",
    "NoReply",
    "NullArray",
    "PairMap",
    "Pairs",
    "ProtocolError",
    "Push",
    "QueryBufferError",
    "Raw",
    "Reply",
    "ReplyError",
    "ReplyValue",
    "RequestLimits",
    "RequestParser",
    "SetReply",
    "Verbatim",
    "best_request_parser",
    "encode_request",
]

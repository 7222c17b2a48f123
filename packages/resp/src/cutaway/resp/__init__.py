"""The Redis serialization protocol: request parser, reply encoder, reply parser."""

from cutaway.resp.annotate import annotate
from cutaway.resp.encoder import Encoder, encode_request
from cutaway.resp.fast_parser import HiredisRequestParser, best_request_parser
from cutaway.resp.limits import RequestLimits
from cutaway.resp.parser import LONGEST_LONE, ProtocolError, QueryBufferError, RequestParser, lone_name
from cutaway.resp.replies import (
    NO_REPLY,
    NULL_ARRAY,
    Attributed,
    BigNumber,
    Double,
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
    Several,
    Verbatim,
)
from cutaway.resp.reply_parser import ReplyParser, ReplyProtocolError
from cutaway.resp.spans import Span

__all__ = [
    "LONGEST_LONE",
    "NO_REPLY",
    "NULL_ARRAY",
    "Attributed",
    "BigNumber",
    "Double",
    "Encoder",
    "HiredisRequestParser",
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
    "ReplyParser",
    "ReplyProtocolError",
    "ReplyValue",
    "RequestLimits",
    "RequestParser",
    "SetReply",
    "Several",
    "Span",
    "Verbatim",
    "annotate",
    "best_request_parser",
    "encode_request",
    "lone_name",
]

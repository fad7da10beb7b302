"""Bytes that, appended to an ONNX file, make an inner tensor an output.

An ONNX file is one protobuf message, and protobuf parsers merge messages that are written one after the other. So a
second ModelProto with a graph of one node and one output is simply joined to the first, and no `onnx` package is
needed. Source: protobuf encoding guide, "last one wins" and merging of embedded messages; onnx.proto, field numbers.
"""

from __future__ import annotations

_VARINT, _BYTES = 0, 2
_INT64 = 7
"""TensorProto.DataType.INT64."""


def _bytes_field(number: int, payload: bytes) -> bytes:
    assert len(payload) < 128 and number < 16, "one-byte lengths and tags are all that is needed here"
    return bytes((number << 3 | _BYTES, len(payload))) + payload


def _int_field(number: int, value: int) -> bytes:
    tag = number << 3 | _VARINT
    return (bytes((tag,)) if tag < 128 else bytes((tag & 0x7F | 0x80, tag >> 7))) + bytes((value,))


def _graph(payload: bytes) -> bytes:
    return _bytes_field(7, payload)  # ModelProto.graph


def output(tensor: str) -> bytes:
    """Makes `tensor` an output under its own name, whatever its type."""
    return _graph(_bytes_field(12, _bytes_field(1, tensor.encode())))  # GraphProto.output, ValueInfoProto.name


def int64_output(tensor: str, name: str) -> bytes:
    """Adds a node that casts `tensor` to int64, and its result as the output `name`."""
    to = _bytes_field(1, b"to") + _int_field(3, _INT64) + _int_field(20, 2)  # AttributeProto: name, i, type INT
    node = (
        _bytes_field(1, tensor.encode())  # NodeProto.input
        + _bytes_field(2, name.encode())  # output
        + _bytes_field(3, f"expose_{name}".encode())  # name
        + _bytes_field(4, b"Cast")  # op_type
        + _bytes_field(5, to)  # attribute
    )
    tensor_type = _bytes_field(1, _int_field(1, _INT64))  # TypeProto.tensor_type.elem_type
    value = _bytes_field(1, name.encode()) + _bytes_field(2, tensor_type)
    return _graph(_bytes_field(1, node) + _bytes_field(12, value))

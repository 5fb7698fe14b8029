"""The bound that stands for the end of an axis in `dynamic_slice`."""

MAX_INT32 = 2**31 - 1


def __getattr__(name):
    from aitemplate.compiler import ops

    return getattr(ops, name)

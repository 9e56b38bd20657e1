"""Which errors say that memory could not be allocated."""

from __future__ import annotations

# How torch's allocators say it where they raise a plain RuntimeError.
_ALLOCATION_FAILED = (
    "DefaultCPUAllocator: can't allocate memory",
    "DefaultCPUAllocator: not enough memory: you tried to allocate",
    "MPS backend out of memory",
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether Python or torch could not allocate memory.

    Other errors may also name memory: "CUDA error: an illegal memory access was encountered".
    torch.OutOfMemoryError is known by its name here, because importing torch takes seconds.

    >>> is_out_of_memory(MemoryError()), is_out_of_memory(RuntimeError("an illegal memory access"))
    (True, False)
    """
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    failed = any(text in str(error) for text in _ALLOCATION_FAILED)
    return failed and isinstance(error, RuntimeError)

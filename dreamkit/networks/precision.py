"""Which precision a device is fastest at."""

from __future__ import annotations

import torch


def fast_precision(device: torch.device | str) -> str:
    """ "bfloat16" where the device has arithmetic of its own for it (CUDA from Ampere on, AMX on Intel), else "float32".

    A processor without it emulates it, ten times slower than float32.
    """
    device = torch.device(device)
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    amx = device.type == "cpu" and getattr(torch.cpu, "_is_amx_tile_supported", lambda: False)()
    return "bfloat16" if amx else "float32"

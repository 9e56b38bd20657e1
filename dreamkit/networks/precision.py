"""The precision at which a device is fastest."""

from __future__ import annotations

import torch


def fast_precision(device: torch.device | str) -> str:
    """The precision "bfloat16" if the device's hardware computes with it, else "float32".

    Hardware that does: CUDA from Ampere on, Intel's AMX. Other processors emulate it, ten times
    slower than float32.
    """
    device = torch.device(device)
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    amx = device.type == "cpu" and getattr(torch.cpu, "_is_amx_tile_supported", lambda: False)()
    return "bfloat16" if amx else "float32"

"""The precision at which a device is fastest."""

from __future__ import annotations

import torch


def fast_precision(device: torch.device | str) -> str:
    """The precision "bfloat16" if the device's hardware computes with it, else "float32".

    Hardware that does: CUDA from Ampere on; Intel's AMX; AVX512-BF16, which AMD has from Zen 4 on.
    Other processors emulate it, ten times slower than float32.
    """
    device = torch.device(device)
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    found = device.type == "cpu" and any(
        getattr(torch.cpu, name, lambda: False)()
        for name in ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    )
    return "bfloat16" if found else "float32"

"""NVIDIA's management library, where it is installed and there is such a device."""

from __future__ import annotations

from typing import Any

import torch


def nvml_handle(device: torch.device) -> tuple[Any, str]:
    """The library's handle of a CUDA device and an empty text, or None and why there is none."""
    if device.type != "cuda":
        return None, f"{device.type} is no NVIDIA device"
    try:
        import pynvml
    except ImportError:
        return None, "nvidia-ml-py is not installed: pip install 'fbench[nvidia]'"
    try:
        pynvml.nvmlInit()
        # torch numbers the devices that it may see; the identifier names the same one whatever is hidden from it.
        identifier = str(torch.cuda.get_device_properties(device).uuid)
        return pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{identifier}"), ""
    except pynvml.NVMLError as error:
        return None, f"NVML says: {error}"

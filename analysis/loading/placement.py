"""Where weights go and of what type they are, by the names that a user gives."""

from typing import TYPE_CHECKING

from analysis.errors import UserError

if TYPE_CHECKING:
    import torch

DTYPES = ("float32", "tf32", "bfloat16", "float16")
"""``tf32`` is float32, but for products in which NVIDIA GPUs keep ten bits: many times faster."""


def placement(device: str, dtype: str) -> "tuple[torch.device, torch.dtype]":
    """The torch device and type of these names; products are from now on what they say.

    Raises:
        UserError: torch does not know them or this machine does not have them.
    """
    import torch

    if dtype not in DTYPES:
        raise UserError(f"Unknown dtype {dtype!r}: choose one of {', '.join(DTYPES)}.")
    try:
        where = torch.device(device)
    except RuntimeError as error:
        raise UserError(f"Unknown device {device!r}: choose cpu, cuda or mps.") from error
    if where.type == "cuda" and (where.index or 0) >= torch.cuda.device_count():
        raise UserError(f"This machine has no GPU for device {device!r}: choose cpu.")
    if where.type == "mps" and not torch.backends.mps.is_available():
        raise UserError("This machine has no Apple GPU for device 'mps': choose cpu.")
    if where.type not in ("cpu", "cuda", "mps"):
        raise UserError(f"Device {device!r} is not supported: choose cpu, cuda or mps.")
    fast = dtype == "tf32"
    if fast and where.type != "cuda":
        raise UserError(f"Products in tf32 are for NVIDIA GPUs, not for {where.type}: use float32.")
    torch.backends.cuda.matmul.allow_tf32 = fast
    return where, torch.float32 if fast else getattr(torch, dtype)

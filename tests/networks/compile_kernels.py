"""Compile the kernels for an H100, which needs none: ``python tests/networks/compile_kernels.py``."""

from itertools import product

from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource, compile

from lggkit.networks import norm_kernels as kernels

TARGET = GPUTarget("cuda", 90, 32)
MAPS = ("x", "out", "gradient", "other", "of_x", "of_other")
WHOLE, REAL = ("rows", "each", "folds", "count"), ("momentum", "eps")
NARROW, WIDE = {"F": 64, "C": 8, "T": 32}, {"F": 512, "C": 512, "T": 4}


def type_of(name: str, number: str) -> str:
    if name in WHOLE or name in REAL:
        return "i32" if name in WHOLE else "fp32"
    return "*i64" if name == "tracked" else f"*{number}" if name in MAPS else "*fp32"


def compiled(kernel, number: str = "fp32", **constants) -> int:
    """The bytes of its machine code."""
    known = {name: value for name, value in constants.items() if name in kernel.arg_names}
    types = {n: "constexpr" if n in known else type_of(n, number) for n in kernel.arg_names}
    made = compile(ASTSource(fn=kernel, signature=types, constexprs=known), target=TARGET)
    return len(made.asm["cubin"])


if __name__ == "__main__":
    for shape, number in product((NARROW, WIDE), ("fp32", "bf16")):
        print("moments", compiled(kernels.moments_kernel, number, **shape))
        for summed, bent in product((True, False), repeat=2):
            for kernel in (kernels.apply_kernel, kernels.gradient_sums_kernel, kernels.gradient_kernel):
                print(kernel.__name__, compiled(kernel, number, **shape, SUM=summed, RELU=bent))
    for channels, block, parts in ((8, 8, 1024), (512, 64, 128)):
        for kernel in (kernels.finish_moments_kernel, kernels.finish_sums_kernel):
            print(kernel.__name__, compiled(kernel, C=channels, B=block, P=parts))

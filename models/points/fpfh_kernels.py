"""Normals and FPFH of a cloud with known neighbours: the source of `fpfh_kernels.ll`, beside this file.

Tribank does not import this module, see `scripts/kernels.py`. The histograms are those of Rusu et al. 2009.
Sums run in the order in which Open3D adds, and the smallest eigenvector comes from the formulas that Open3D
takes, too (Eberly, "A Robust Eigensolver for 3 x 3 Symmetric Matrices"). So normals are bitwise the same.

Arguments are numbers, and arrays in C order. N points, K neighbours of a point, the point itself first.
"""

from __future__ import annotations

import math

from numba import njit

BINS = 11
"""Of each of the three angles."""
WIDTH = 3 * BINS

_UNSURE = 1e-13
"""What lies closer to the edge of a bin, as a share, is looked at again as Open3D does it."""
_COSINES = tuple(math.cos((2 * edge + 1) * math.pi / BINS) for edge in range(BINS // 2))
_SINES = tuple(math.sin((2 * edge + 1) * math.pi / BINS) for edge in range(BINS // 2))
_INNERMOST = math.tan(math.pi / BINS) * (1 - _UNSURE)

_part = njit(error_model="numpy")


@_part
def _cross(a, b):
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


@_part
def _dot(a, b):
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@_part
def _times(matrix, vector):
    """A symmetric matrix (00, 01, 02, 11, 12, 22) times a vector."""
    xx, xy, xz, yy, yz, zz = matrix
    return _dot((xx, xy, xz), vector), _dot((xy, yy, yz), vector), _dot((xz, yz, zz), vector)


@_part
def _outer_vector(matrix, value):
    """The eigenvector of an eigenvalue that is no double one: the longest product of two rows."""
    xx, xy, xz, yy, yz, zz = matrix
    x, y, z = (xx - value, xy, xz), (xy, yy - value, yz), (xz, yz, zz - value)
    best = _cross(x, y)
    most = _dot(best, best)
    for other in (_cross(x, z), _cross(y, z)):
        square = _dot(other, other)
        if square > most:
            best, most = other, square
    length = math.sqrt(most)
    return best[0] / length, best[1] / length, best[2] / length


@_part
def _middle_vector(matrix, outer, value):
    """The eigenvector of the middle eigenvalue, perpendicular to the vector of an outer one."""
    if abs(outer[0]) > abs(outer[1]):
        over = 1 / math.sqrt(outer[0] * outer[0] + outer[2] * outer[2])
        u = (-outer[2] * over, 0.0, outer[0] * over)
    else:
        over = 1 / math.sqrt(outer[1] * outer[1] + outer[2] * outer[2])
        u = (0.0, outer[2] * over, -outer[1] * over)
    v = _cross(outer, u)
    mixed = _dot(u, _times(matrix, v))
    first, second = _dot(u, _times(matrix, u)) - value, _dot(v, _times(matrix, v)) - value
    by_first = abs(first) >= abs(second)
    pure = first if by_first else second
    if pure == 0 and mixed == 0:
        return u
    if abs(pure) >= abs(mixed):
        mixed /= pure
        pure = 1 / math.sqrt(1 + mixed * mixed)
        mixed *= pure
    else:
        pure /= mixed
        mixed = 1 / math.sqrt(1 + pure * pure)
        pure *= mixed
    a, b = (mixed, pure) if by_first else (pure, mixed)
    return a * u[0] - b * v[0], a * u[1] - b * v[1], a * u[2] - b * v[2]


@_part
def _flattest(matrix):
    """The eigenvector of the smallest eigenvalue; (0, 0, 1) for a matrix of zeros."""
    xx, xy, xz, yy, yz, zz = matrix
    largest = max(xx, xy, xz, yy, yz, zz)
    if largest == 0:
        return 0.0, 0.0, 1.0
    xx, xy, xz = xx / largest, xy / largest, xz / largest
    yy, yz, zz = yy / largest, yz / largest, zz / largest
    beside = xy * xy + xz * xz + yz * yz
    if not beside > 0:  # a diagonal matrix
        if xx < yy and xx < zz:
            return 1.0, 0.0, 0.0
        return (0.0, 1.0, 0.0) if yy < xx and yy < zz else (0.0, 0.0, 1.0)
    mean = (xx + yy + zz) / 3
    x, y, z = xx - mean, yy - mean, zz - mean
    size = math.sqrt((x * x + y * y + z * z + beside * 2) / 6)
    minors = (y * z - yz * yz, xy * z - yz * xz, xy * yz - y * xz)
    half = (x * minors[0] - xy * minors[1] + xz * minors[2]) / (size * size * size) * 0.5
    angle = math.acos(min(max(half, -1.0), 1.0)) / 3.0
    high, low = math.cos(angle) * 2, math.cos(angle + 2.09439510239319549) * 2  # a third of a turn
    smallest, middle, greatest = mean + size * low, mean + size * -(low + high), mean + size * high
    scaled = (xx, xy, xz, yy, yz, zz)
    if half >= 0:  # the greatest value is the one that stands alone
        outer = _outer_vector(scaled, greatest)
        if greatest < smallest and greatest < middle:
            return outer
        beside_it = _middle_vector(scaled, outer, middle)
        return beside_it if middle < smallest and middle < greatest else _cross(beside_it, outer)
    outer = _outer_vector(scaled, smallest)
    if smallest < middle and smallest < greatest:
        return outer
    beside_it = _middle_vector(scaled, outer, middle)
    return beside_it if middle < smallest and middle < greatest else _cross(outer, beside_it)


def normals(n, most, xs, ys, zs, index, held, towards_camera, across, down, along):
    """Of every point the direction in which its neighbours spread least.

    xs, ys, zs: (N,) coordinates. index: (N, most) neighbours. held: (N,) how many of them count; fewer than 3
    give (0, 0, 1). towards_camera: 1 turns normals to the origin. across, down, along: (N,) the normals.
    """
    for point in range(n):
        x = y = z = xx = xy = xz = yy = yz = zz = 0.0
        for place in range(held[point]):
            other = index[point * most + place]
            a, b, c = xs[other], ys[other], zs[other]
            x, y, z = x + a, y + b, z + c
            xx, xy, xz = xx + a * a, xy + a * b, xz + a * c
            yy, yz, zz = yy + b * b, yz + b * c, zz + c * c
        normal = (0.0, 0.0, 1.0)
        if held[point] >= 3:
            count = float(held[point])
            x, y, z = x / count, y / count, z / count
            top = xx / count - x * x, xy / count - x * y, xz / count - x * z
            rest = yy / count - y * y, yz / count - y * z, zz / count - z * z
            normal = _flattest((*top, *rest))
        if towards_camera and _dot(normal, (xs[point], ys[point], zs[point])) > 0:
            normal = (-normal[0], -normal[1], -normal[2])
        across[point], down[point], along[point] = normal


@_part
def _bin(share):
    """The bin of an angle in bins, from 0 to BINS. Whatever lies outside is in the first or last one."""
    if not share > 0:  # NaN, too
        return 0
    return int(share) if share < BINS else BINS - 1


@_part
def _bin_of_turn(y, x):
    """The bin of the direction of (x, y), a turn in eleven bins, by its arc tangent only near an edge."""
    height = abs(y)
    if height < _INNERMOST * x:
        return BINS // 2
    doubt = _UNSURE * (height + abs(x))
    passed = 0
    for edge in range(BINS // 2):
        beyond = height * _COSINES[edge] - x * _SINES[edge]
        if abs(beyond) <= doubt:
            return _bin(BINS * (math.atan2(y, x) + math.pi) / (2.0 * math.pi))
        passed += beyond > 0
    return BINS // 2 + passed if math.copysign(1.0, y) > 0 else BINS // 2 - passed


@_part
def _cosines(normal, neighbour, line):
    """Of the angles between a line and the normals at its ends."""
    length = math.sqrt(_dot(line, line))
    return _dot(normal, line) / length, _dot(neighbour, line) / length


@_part
def _seen(normal, neighbour, line, turned):
    """One normal as the other sees it: up, ahead, and to the side. NaN where the line is the other."""
    source, target = (neighbour, normal) if turned else (normal, neighbour)
    away = (-line[0], -line[1], -line[2]) if turned else line
    side = _cross(away, source)
    length = math.sqrt(_dot(side, side))
    side = (side[0] / length, side[1] / length, side[2] / length)
    return _dot(_cross(source, side), target), _dot(source, target), _dot(side, target)


def simple(n, most, xs, ys, zs, across, down, along, index, held, histograms, ups, aheads, sides, leans):
    """Of every point the histogram of three angles between its normal and each neighbour's.

    xs, ys, zs, across, down, along: (N,) points and normals. index: (N, most) neighbours. held: (N,) how many
    of them count. histograms: (N, WIDTH) zeros; then each third sums to 100, where there are neighbours.
    Scratch: ups, aheads, sides, leans: (most,).
    """
    for point in range(n):
        normal = across[point], down[point], along[point]
        x, y, z = xs[point], ys[point], zs[point]
        base = point * most
        for place in range(1, held[point]):  # without branches, so that LLVM takes several neighbours at once
            other = index[base + place]
            neighbour = across[other], down[other], along[other]
            line = xs[other] - x, ys[other] - y, zs[other] - z
            own, theirs = _cosines(normal, neighbour, line)
            turned = abs(own) < abs(theirs)
            ups[place], aheads[place], sides[place] = _seen(normal, neighbour, line, turned)
            leans[place] = -theirs if turned else own
        first = point * WIDTH
        for place in range(1, held[point]):
            up, ahead, side, lean = ups[place], aheads[place], sides[place], leans[place]
            if math.isnan(side):
                up, ahead, side, lean = 0.0, 1.0, 0.0, 0.0
            share = 100.0 / (held[point] - 1)
            histograms[first + _bin_of_turn(up, ahead)] += share
            histograms[first + BINS + _bin(BINS * (side + 1.0) * 0.5)] += share
            histograms[first + 2 * BINS + _bin(BINS * (lean + 1.0) * 0.5)] += share


def fast(n, most, squares, index, held, histograms, sums, features):
    """The FPFH of every point: its own histogram, and the mean of its neighbours' by their nearness.

    squares, index, held: of its neighbours. histograms: (N, WIDTH) of `simple`. features: (N, WIDTH) zeros;
    then the result. Scratch: sums: (WIDTH,).
    """
    for point in range(n):
        if held[point] <= 1:
            continue
        for channel in range(WIDTH):
            sums[channel] = 0.0
        base, first = point * most, point * WIDTH
        for place in range(1, held[point]):
            if squares[base + place] == 0:
                continue
            weight = 1 / squares[base + place]
            theirs = index[base + place] * WIDTH
            for channel in range(WIDTH):
                sums[channel] += weight * histograms[theirs + channel]
        for angle in range(3):
            total = 0.0
            for channel in range(angle * BINS, (angle + 1) * BINS):
                total += sums[channel]
            factor = 100.0 / total if total != 0 else 0.0
            for channel in range(angle * BINS, (angle + 1) * BINS):
                features[first + channel] = sums[channel] * factor + histograms[first + channel]


KERNELS = {"normals": "nnXXXNNnXXX", "simple": "nnXXXXXXNNXXXXX", "fast": "nnXNNXXX"}
"""What is translated, with the types of the arguments: n whole and x real numbers, N and X arrays of them."""

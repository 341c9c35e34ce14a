"""The nearest points of every point of a cloud: the source of `neighbour_kernels.ll`, beside this file.

Tribank does not import this module, see `scripts/kernels.py`. Arguments are numbers, and arrays in C order. N
points, M nodes of a tree, S strips.
"""

from __future__ import annotations

import math

from numba import njit

BUCKETS = 64
"""Of squared distances: candidates are sorted by bucket first."""
LEAF = 15
"""Most points of a leaf."""
_GROWTH = 1.1
"""Of the reach, beyond what the last point needed."""
_LEAST_REACH = 1e-6
"""As a share of the radius: among copies of one point, a reach of 0 would never grow."""
_FLAT = 1 - 1e-5
"""An axis is split if the box is nearly as long as this along it, as a share of its longest side."""

_part = njit(error_model="numpy")


@_part
def _swap_below(n, points, places, begin, end, left, axis, cut, equal):
    """Move points below a cut, or at most at it, to the front of places[begin:end]. Returns their number.

    left: from where to look.
    """
    right = end - begin - 1
    while True:
        while left <= right and (
            points[axis * n + places[begin + left]] < cut
            or (equal and points[axis * n + places[begin + left]] == cut)
        ):
            left += 1
        while (
            right > 0
            and left <= right
            and not (
                points[axis * n + places[begin + right]] < cut
                or (equal and points[axis * n + places[begin + right]] == cut)
            )
        ):
            right -= 1
        if left > right or right == 0:
            return left
        held = places[begin + left]
        places[begin + left] = places[begin + right]
        places[begin + right] = held
        left += 1
        right -= 1


def plant(n, points, places, nodes, cuts, boxes):
    """A k-d tree as nanoflann grows it, on which Open3D's search depends where points are equally near.

    points: (3, N). places: (N,) 0 to N - 1; then the points by leaf. nodes: (2 N, 4) of a branch: first
    place; where its second child begins; number of its first child, 0 for a leaf; axis. cuts: (2 N, 2) last
    coordinate of the first child, first one of the second. Scratch: boxes: (2 N, 6).
    """
    for axis in range(3):
        boxes[2 * axis] = boxes[2 * axis + 1] = points[axis * n]
        for point in range(n):
            boxes[2 * axis] = min(boxes[2 * axis], points[axis * n + point])
            boxes[2 * axis + 1] = max(boxes[2 * axis + 1], points[axis * n + point])
    nodes[0], nodes[1], nodes[2] = 0, n, 0
    made = 1
    node = 0
    while node < made:
        begin, end, box = nodes[4 * node], nodes[4 * node + 1], 6 * node
        count = end - begin
        if count > LEAF:
            longest = 0.0
            for axis in range(3):
                longest = max(longest, boxes[box + 2 * axis + 1] - boxes[box + 2 * axis])
            split, spread, low, high = 0, -1.0, 0.0, 0.0
            for axis in range(3):
                if boxes[box + 2 * axis + 1] - boxes[box + 2 * axis] > _FLAT * longest:
                    least = most = points[axis * n + places[begin]]
                    for place in range(begin, end):
                        least = min(least, points[axis * n + places[place]])
                        most = max(most, points[axis * n + places[place]])
                    if most - least > spread:
                        split, spread, low, high = axis, most - least, least, most
            cut = min(max((boxes[box + 2 * split] + boxes[box + 2 * split + 1]) / 2, low), high)
            below = _swap_below(n, points, places, begin, end, 0, split, cut, False)
            at_most = _swap_below(n, points, places, begin, end, below, split, cut, True)
            half = count // 2
            middle = begin + (below if below > half else at_most if at_most < half else half)
            low, high = points[split * n + places[begin]], points[split * n + places[middle]]
            for place in range(begin, middle):
                low = max(low, points[split * n + places[place]])
            for place in range(middle, end):
                high = min(high, points[split * n + places[place]])
            cuts[2 * node], cuts[2 * node + 1] = low, high
            for child in range(made, made + 2):
                for side in range(6):
                    boxes[6 * child + side] = boxes[box + side]
                nodes[4 * child + 2] = 0
            boxes[6 * made + 2 * split + 1] = boxes[6 * made + 6 + 2 * split] = cut
            nodes[4 * made], nodes[4 * made + 1] = begin, middle
            nodes[4 * made + 4], nodes[4 * made + 5] = middle, end
            nodes[4 * node + 1], nodes[4 * node + 2], nodes[4 * node + 3] = middle, made, split
            made += 2
        node += 1


@_part
def _first_seen(one, other, nodes, cuts, x, y, z):
    """Whether a search from x, y, z comes upon the place `one` before the place `other`."""
    node = 0
    while nodes[4 * node + 2]:
        middle, child, axis = nodes[4 * node + 1], nodes[4 * node + 2], nodes[4 * node + 3]
        if (one < middle) != (other < middle):
            value = x if axis == 0 else y if axis == 1 else z
            return (one < middle) == ((value - cuts[2 * node]) + (value - cuts[2 * node + 1]) < 0)
        node = child if one < middle else child + 1
    return one < other


@_part
def _slide(window, strip, begin, end, ys, py, reach):
    """Move the window of a strip, its first point and the one after its last, to where y is within reach."""
    first, last = window[2 * strip], window[2 * strip + 1]
    while first > begin and py - ys[first - 1] <= reach:
        first -= 1
    while first < end and py - ys[first] > reach:
        first += 1
    last = max(first, last)
    while last > first and ys[last - 1] - py > reach:
        last -= 1
    while last < end and ys[last] - py <= reach:
        last += 1
    window[2 * strip], window[2 * strip + 1] = first, last
    return first, last


@_part
def _sort(found, most, near, who, bucket, fill, squares, points, place, nodes, cuts, x, y, z):
    """Put the nearest candidates, sorted, into squares and points. Returns their number, at most `most`.

    near, who, bucket: squared distance, point and bucket of each candidate. fill: candidates of each bucket.
    """
    total = used = 0
    while used < BUCKETS and total < most:
        held = fill[used]
        fill[used] = total
        total += held
        used += 1
    for candidate in range(found - 1, -1, -1):  # of copies, a search mostly sees the last first
        if bucket[candidate] < used:
            at = fill[bucket[candidate]]
            fill[bucket[candidate]] = at + 1
            squares[at] = near[candidate]
            points[at] = who[candidate]
    held = 0
    for candidate in range(total):
        square, point = squares[candidate], points[candidate]
        low, high, step = 0, held, 1  # candidates come nearly sorted: they are looked for from the end
        while low < high:
            at = high - min(step, high - low)
            if squares[at] > square or (
                squares[at] == square and _first_seen(place[point], place[points[at]], nodes, cuts, x, y, z)
            ):
                high, step = at, 2 * step
            else:
                low, step = at + 1, (high - at) // 2
        if low < most:
            held = min(held + 1, most)
            for at in range(held - 1, low, -1):
                squares[at], points[at] = squares[at - 1], points[at - 1]
            squares[low], points[low] = square, point
    return held


def nearest(
    xs, ys, zs, place, nodes, cuts, strips, starts, lows, highs, most, radius,
    squares, index, near, who, bucket, fill, window, kept, points,
):  # fmt: skip
    """Of every point the `most` nearest points within a radius, nearest first.

    Points lie in strips: strip after strip rises in x, and within a strip y rises. Only strips and points
    within `reach` in x and in y can be nearer than `reach`, which grows until it holds enough points.

    xs, ys, zs: (N,) coordinates. place: (N,) in the tree. nodes, cuts: of `plant`, with axis 0 for xs, 1 for
    ys. Of equally near points, the one that a search of the tree would see first comes first.
    starts: (S + 1,) first point of each strip. lows, highs: (S,) range of x of each strip.
    squares: (N, most) squared distances; what is not found stays as it is. index: (N, most) neighbours.
    Scratch: near, who, bucket, kept, points: (N,). fill: (BUCKETS + 1,). window: (2 S,).
    """
    reach = radius
    for own in range(strips):
        for strip in range(strips):
            window[2 * strip] = window[2 * strip + 1] = starts[strip]
        for point in range(starts[own], starts[own + 1]):
            px, py, pz = xs[point], ys[point], zs[point]
            while True:
                limit = reach * reach
                for part in range(BUCKETS + 1):
                    fill[part] = 0
                found = 0
                strip = own
                while strip > 0 and px - highs[strip - 1] <= reach:
                    strip -= 1
                while strip < strips and lows[strip] - px <= reach:
                    first, last = _slide(window, strip, starts[strip], starts[strip + 1], ys, py, reach)
                    for other in range(first, last):
                        dx, dy, dz = px - xs[other], py - ys[other], pz - zs[other]
                        square = dx * dx + dy * dy + dz * dz
                        near[found + other - first] = square
                        inside = min(int(square * (BUCKETS / limit)), BUCKETS - 1)
                        bucket[found + other - first] = inside if square < limit else BUCKETS
                        who[found + other - first] = other
                    found += last - first
                    strip += 1
                for candidate in range(found):
                    fill[bucket[candidate]] += 1
                inside = found - fill[BUCKETS]
                if inside >= most or reach >= radius:
                    break
                growth = math.sqrt(_GROWTH * most / max(inside, 1))
                reach = min(radius, reach * min(2.0, max(_GROWTH, growth)))
            held = _sort(found, most, near, who, bucket, fill, kept, points, place, nodes, cuts, px, py, pz)
            for rank in range(held):
                squares[point * most + rank] = kept[rank]
                index[point * most + rank] = points[rank]
            needed = _GROWTH * math.sqrt(kept[most - 1]) if held == most else radius
            reach = min(max(needed, _LEAST_REACH * radius), radius)


KERNELS = {"plant": "nXNNXX", "nearest": "XXXNNXnNXXnxXNXNNNNXN"}
"""What is translated, with the types of the arguments: n whole and x real numbers, N and X arrays of them."""

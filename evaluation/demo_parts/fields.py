"""Number fields over a grid: smooth random ones for lumps, grain and blotches, and blurring."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import fft, ndimage

Field = NDArray[np.floating]
"""(rows, cols), or as said; float32 unless a step in between is wider."""


def smooth_noise(rng: Generator, shape: tuple[int, int], wavelength: float | tuple[float, float]) -> Field:
    """shape float32, mean 0, deviation 1. `wavelength` in cells; a pair (rows, cols) stretches the grain."""
    along_rows, along_cols = wavelength if isinstance(wavelength, tuple) else (wavelength, wavelength)
    rows, cols = (-(-(side + 8) // 32) * 32 for side in shape)  # sizes that an FFT is fast with
    white = rng.standard_normal((rows, cols), dtype=np.float32)
    radius = (fft.fftfreq(rows)[:, None] * along_rows) ** 2 + (fft.rfftfreq(cols)[None, :] * along_cols) ** 2
    gain = np.exp(-1.5 * radius).astype(np.float32)
    gain[0, 0] = 0.0
    spectrum = np.asarray(fft.rfft2(white)) * gain
    field = np.asarray(fft.irfft2(spectrum, s=(rows, cols)))[: shape[0], : shape[1]]
    return ((field - field.mean()) / max(float(field.std()), 1e-9)).astype(np.float32)


def fractal_noise(rng: Generator, shape: tuple[int, int], wavelength: float, octaves: int = 3) -> Field:
    """shape float32, deviation about 1: smooth noise with ever finer and weaker detail."""
    total = np.zeros(shape, np.float32)
    for octave in range(octaves):
        total += smooth_noise(rng, shape, wavelength / 2**octave) * np.float32(0.55**octave)
    return total / max(float(total.std()), 1e-9)


def noise_line(rng: Generator, length: int, wavelength: float) -> Field:
    """(length,) float32, mean 0, deviation 1: smooth noise along a line, in cells."""
    frequencies = fft.rfftfreq(length) * wavelength
    gain = np.exp(-1.5 * frequencies**2)
    gain[0] = 0.0
    line = np.asarray(fft.irfft(np.asarray(fft.rfft(rng.standard_normal(length))) * gain, n=length))
    return (line / max(float(line.std()), 1e-9)).astype(np.float32)


def blurred(field: Field, cells: float) -> Field:
    """The same shape, float32: a Gaussian blur of `cells` deviation over rows and columns."""
    spread = (cells, cells) + (0,) * (field.ndim - 2)
    return np.asarray(ndimage.gaussian_filter(field.astype(np.float32), spread, truncate=3.0))

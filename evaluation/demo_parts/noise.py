"""Smooth random fields for lumps, grain and the scanner's blotches."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import fft

Field = NDArray[np.float32]


def smooth_noise(rng: Generator, shape: tuple[int, int], wavelength: float | tuple[float, float]) -> Field:
    """shape float32, mean 0, deviation 1. `wavelength` in cells; a pair (rows, cols) stretches the grain."""
    along_rows, along_cols = wavelength if isinstance(wavelength, tuple) else (wavelength, wavelength)
    rows, cols = (fft.next_fast_len(side + 8, real=True) for side in shape)
    white = rng.standard_normal((rows, cols), dtype=np.float32)
    radius = (fft.fftfreq(rows)[:, None] * along_rows) ** 2 + (fft.rfftfreq(cols)[None, :] * along_cols) ** 2
    gain = np.exp(-1.5 * radius).astype(np.float32)
    gain[0, 0] = 0.0
    field = fft.irfft2(fft.rfft2(white) * gain, s=(rows, cols))[: shape[0], : shape[1]]
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
    line = fft.irfft(fft.rfft(rng.standard_normal(length)) * gain, n=length)
    return (line / max(float(line.std()), 1e-9)).astype(np.float32)

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterator

import pytest

from models.sample import Sample, make_sample
from service.engine import Engine, Loaded
from service.logs import make_logger
from service.problems import DeadlinePassed, NotReady, Overloaded, Refusal, UnknownProduct
from tests.service.conftest import BrightnessDetector, OneProduct, picture, surface

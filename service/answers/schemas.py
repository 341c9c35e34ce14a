"""The JSON that clients see. Names follow OPC UA Machine Vision (40100-1) where it has them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field, RootModel, model_validator

from banks.decision.calibration import Calibration
from banks.decision.coverage import Coverage
from banks.decision.regions import Region
from banks.detector import ThresholdSource
from banks.methods.evidence import Evidence
from models.preparation.prepare import PreparedPart
from recipes.sensor import Unit
from service.http.problems import Problem


class Numbers(BaseModel):
    """A few numbers, each with a name. Records of older servers hold a list of them, in the same order."""

    @model_validator(mode="before")
    @classmethod
    def _of_list(cls, given: Any) -> Any:
        if isinstance(given, list | tuple):
            return dict(zip(cls.model_fields, given, strict=True))
        return given


class PixelBox(Numbers):
    """A box of the source image, in source pixels."""

    left: float
    top: float
    right: float
    bottom: float


class PixelPoint(Numbers):
    """A place in the source image, in source pixels from the left and from the top."""

    x: float
    y: float


class Pixel(Numbers):
    """One pixel of the source image: its column and its row, from 0."""

    x: int
    y: int


class PointM(Numbers):
    """A point, or a size along the axes, in metres in the camera's frame."""

    x: float
    y: float
    z: float


class BoxM(Numbers):
    """A box along the camera's axes, in metres."""

    lowest: PointM
    highest: PointM


class SharePoint(Numbers):
    """A place in the prepared square, as shares of its side from the left and from the top."""

    x: float = Field(examples=[0.41])
    y: float = Field(examples=[0.63])


class ColourScale(Numbers):
    """The values of the score map at the two ends of the colours."""

    low: float
    high: float


class ShareInterval(Numbers):
    """Between which shares the true one lies."""

    low: float = Field(examples=[0.0012])
    high: float = Field(examples=[0.11])


class RegionAnswer(BaseModel):
    """One connected anomalous region, the highest peak first."""

    box: PixelBox
    area: float = Field(description="Source pixels.")
    area_m2: float | None = Field(
        None,
        description="Surface in square metres. Null where the region holds no point, and in old records.",
    )
    peak: float = Field(description="Highest value of the score map in the region.")
    peak_pixel: Pixel = Field(description="Where that is.")
    centroid: PixelPoint
    centroid_m: PointM | None = Field(description="Null where the region holds no point.")
    box_m: BoxM | None = Field(
        description="Around the region's points, without the outermost hundredth of them on each side."
    )
    extent_m: PointM | None = Field(description="Size of that box.")

    @classmethod
    def of(cls, region: Region) -> RegionAnswer:
        """The answer's form of a region."""
        return cls.model_validate(region, from_attributes=True)


class EvidenceAnswer(BaseModel):
    """What one bank says at the place that decided, or at its farthest patch where no place decided."""

    pixel: PixelPoint = Field(description="Centre of the part's patch.")
    distance: float = Field(
        description="Distance from this patch to the nearest good patch. It has no unit.", examples=[3.4]
    )
    training_part: str | None = Field(
        description="The training part of the nearest good patch. Null for the zero row of some profiles.",
        examples=["train/good/017"],
    )
    place: SharePoint | None = Field(description="Centre of the nearest good patch in its training part.")

    @classmethod
    def of(cls, evidence: Evidence) -> EvidenceAnswer:
        """The answer's form of a bank's evidence."""
        return cls.model_validate(evidence, from_attributes=True)


class CoverageAnswer(BaseModel):
    """What the part shows of the product, beside what the good parts show."""

    area_m2: float = Field(description="The part's surface, square metres.", examples=[0.0058])
    least_area_m2: float = Field(description="Smallest surface of a good part.", examples=[0.0056])
    most_area_m2: float = Field(description="Largest surface of a good part.", examples=[0.0062])
    pieces: int | None = Field(description="Pieces of the part. Null where none were looked for.")
    fewest_pieces: int = Field(description="Fewest pieces of a good part.", examples=[1])

    @classmethod
    def of(cls, usual: Coverage, prepared: PreparedPart) -> CoverageAnswer:
        """usual: what the good parts show."""
        return cls(
            area_m2=prepared.area,
            least_area_m2=usual.least_area,
            most_area_m2=usual.most_area,
            pieces=prepared.pieces,
            fewest_pieces=usual.fewest_pieces,
        )


class ScoreAnswer(BaseModel):
    """What Tribank says of one part."""

    part_id: str | None = Field(description="As the client gave it.", examples=["board-000123"])
    labels: dict[str, str] = Field(
        default_factory=dict,
        description="As the client gave them.",
        examples=[{"lot": "A-113", "shift": "night", "station": "7"}],
    )
    result_id: str = Field(description="New for every result.", examples=["5b1f0f6f2f0e4a7f9f1f6b0d7d3f9a10"])
    product: str = Field(examples=["cookie"])
    bank_version: str = Field(description="The bank version that scored the part.", examples=["v3"])
    creation_time: datetime = Field(description="When the result was made, UTC.")
    score: float = Field(description="No unit; compare it with the threshold.", examples=[3.71])
    relative_score: float | None = Field(
        None,
        description="The score on a scale that all products and versions share: 0 is the median held-out "
        "good part, 1 the calibrated threshold, whatever threshold decided; null in old records.",
        examples=[1.83],
    )
    threshold: float = Field(examples=[2.46])
    threshold_source: ThresholdSource = Field(
        description="Whose threshold decided: calibration's, by the rate of rejected good parts; one that a "
        "person set at a score; or the request's own."
    )
    decision: Literal["good", "defective"] = Field(
        description="Defective if the score is above the threshold.", examples=["defective"]
    )
    banks: dict[str, float] = Field(description="Score per bank.", examples=[{"rgb": 4.1, "point": 2.2}])
    contributions: dict[str, float] = Field(
        description="Each bank's share of the score; they add up to it. With `coverage` where the part shows "
        "less or more surface than the good parts, or fewer pieces.",
        examples=[{"rgb": 3.1, "point": 0.61}],
    )
    place: PixelPoint | None = Field(
        None,
        description="The place that decided the score. Null for a profile that adds up the banks' image "
        "scores, and in old records.",
    )
    evidence: dict[str, EvidenceAnswer] = Field(
        description="What each bank says at the place that decided. Where no place decided: at the bank's "
        "farthest patch."
    )
    regions: list[RegionAnswer]
    coverage: CoverageAnswer | None = Field(
        None,
        description="How much surface and how many pieces the part and the good parts show. Null for a "
        "profile that does not look at it, and in old records.",
    )
    valid_point_share: float | None = Field(
        None,
        description="Share of the source's pixels that have a point; null in old records.",
        examples=[0.83],
    )
    xyz_unit: Unit | None = Field(
        None,
        description="The unit in which the part's coordinates were read. Null without a cloud, for a depth "
        "map with a scale of its own, and in old records. Lengths of an answer are in metres always.",
        examples=["mm"],
    )
    image_scale: PixelPoint | None = Field(
        None,
        description="Pixels of the recorded image to one pixel of this answer, if image and cloud have "
        "different sizes (registration scaled): pixels of an answer are those of the cloud. Else null.",
    )
    plane_found: bool | None = Field(
        None,
        description="Whether the support plane was found and removed. False: nothing was removed, so the "
        "score is of the background too; look at the camera and the part's place. Null: none was looked for.",
        examples=[True],
    )
    timings_ms: dict[str, float] = Field(
        description="Milliseconds of each stage. decode: reading the files; queue: waiting for other parts; "
        "then the stages of the profile, such as search; total: from decoding to the score.",
        examples=[{"decode": 9.1, "queue": 0.1, "search": 31.0}],
    )


class BatchLine(RootModel[ScoreAnswer | Problem]):
    """One part of a batch: its result, or the problem that kept it from being scored."""


class OddPartAnswer(BaseModel):
    """A held-out good part that scores far outside the others, and does not count."""

    part: str = Field(description="Its name in the folder of good parts.", examples=["train/good/123"])
    score: float = Field(examples=[21.5])


class CalibrationAnswer(BaseModel):
    """The evidence behind a threshold: counts of held-out good parts."""

    threshold: float
    basis: Literal["counted", "extrapolated", "set"]
    false_reject_rate: float | None = Field(
        description="Share of good parts that may be rejected. Null where a person set the threshold."
    )
    held_out_parts: int = Field(description="Number of good parts that are in no bank.", examples=[42])
    rejected_parts: int = Field(
        description="Number of held-out parts that are rejected. Where the threshold is extrapolated, each "
        "part is judged by the threshold of the others.",
        examples=[1],
    )
    rejected_share: ShareInterval = Field(
        description="Which share of further good parts is rejected, with 90 % confidence. It is below the "
        "upper end with 95 % confidence."
    )
    statement: str = Field(
        examples=[
            "rejects 1 of 142 held-out good parts; with 95 % confidence at most 3.3 % of good parts (90 % "
            "interval 0.036 to 3.3 %)"
        ]
    )
    pixel_threshold: float
    colour_scale: ColourScale
    odd_parts: list[OddPartAnswer] = Field(
        description="Held-out parts that score far outside the others, the highest first. They count only if "
        "a person calls them good."
    )

    @classmethod
    def of(cls, calibration: Calibration) -> CalibrationAnswer:
        """The answer's form of a calibration."""
        return cls(
            threshold=calibration.threshold,
            basis=calibration.basis,
            false_reject_rate=calibration.rate,
            held_out_parts=calibration.count,
            rejected_parts=calibration.rejected,
            rejected_share=ShareInterval.model_validate(calibration.rejected_share),
            statement=calibration.statement,
            pixel_threshold=calibration.pixel_threshold,
            colour_scale=ColourScale.model_validate(calibration.colours),
            odd_parts=[OddPartAnswer(part=part.name, score=part.score) for part in calibration.odd],
        )


class ProductSummary(BaseModel):
    """One product, and whether parts of it can be scored."""

    product: str = Field(examples=["cookie"])
    state: Literal["empty", "idle", "loading", "serving", "failed"] = Field(
        description="empty: no version is active. idle: the bank is loaded when the first part comes."
    )
    bank_version: str | None = Field(None, description="The version in use.", examples=["v3"])
    shadow_version: str | None = Field(
        None, description="The version that scores along with the active version.", examples=["v4"]
    )
    note: str | None = Field(None, description="What an operator should know.")


class DriftAnswer(BaseModel):
    """How far the scores of good parts of late are from those of the held-out good parts."""

    distance: float = Field(
        description="Of Kolmogorov and Smirnov: 0 the same scores, 1 no overlap.", examples=[0.12]
    )
    p_value: float = Field(description="Of that distance, for independent parts.", examples=[0.4])
    parts: int = Field(description="Good parts of late that were compared.", examples=[200])


class ProductState(ProductSummary):
    """One product, with what differs between servers.

    Version, digest, thresholds and drift are those of the version in use; where none is in memory, of the
    active version.
    """

    active_version: str | None = Field(
        None, description="The version that shall be in use, by the bank folder.", examples=["v3"]
    )
    active_since: datetime | None = Field(None, description="When that version was activated, UTC.")
    degraded: bool = Field(False, description="Whether another version than the active one is in use.")
    digest: str | None = Field(
        None,
        description="sha256 of the version's manifest. Servers with the same digest have the same version, "
        "also where they name it differently.",
    )
    threshold: float | None = Field(None, description="The threshold in force.", examples=[2.46])
    relative_threshold: float | None = Field(
        None,
        description="The same on the scale of `relative_score`: 1 unless a person moved it.",
        examples=[1.0],
    )
    drift: DriftAnswer | None = Field(None, description="Null with fewer than 20 good parts of late.")


class ProductAnswer(ProductState):
    """One product with its bank's facts."""

    versions: list[str] = Field(description="All published versions, oldest first.", examples=[["v1", "v2"]])
    profile: str | None = Field(None, description="The recipe of the bank.", examples=["embedded"])
    created: datetime | None = None
    training_parts: int | None = Field(None, examples=[40])
    calibration: CalibrationAnswer | None = None


class ProductList(BaseModel):
    """The products of this server."""

    products: list[ProductState]


class Health(BaseModel):
    """Whether the process is alive."""

    status: Literal["alive"] = "alive"


class ScorerSummary(BaseModel):
    """One scorer of a cluster, as this server sees it."""

    scorer: str = Field(description="Its name.", examples=["0"])
    answers: bool = Field(description="Whether it answered lately.", examples=[True])
    device: str | None = Field(description="Where it scores: cpu or cuda.", examples=["cuda"])
    versions: int = Field(description="Bank versions in its memory.", examples=[12])
    parts: int = Field(description="Parts of this server that it scores, or that wait there.", examples=[1])
    memory_bytes: int | None = Field(
        description="What its banks and networks take in memory.", examples=[734003200]
    )


class Readiness(BaseModel):
    """Whether every bank is loaded and warmed up. Without a key of a server that has keys, the status
    alone."""

    status: Literal["ready"] = "ready"
    device: str | None = Field(
        default=None, description="Where parts are scored: cpu or cuda.", examples=["cuda"]
    )
    products: list[ProductSummary] | None = None
    scorers: list[ScorerSummary] | None = Field(
        default=None, description="The scorers of the cluster. Absent where the server itself scores."
    )
    notes: list[str] | None = Field(
        default=None,
        description="What is not as it should be and keeps no part from being scored: the state folder.",
    )

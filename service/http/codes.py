"""The codes of all problems: what each means, and whether the same request may be sent again.

The OpenAPI document and docs/reference.md are made from this table. A code never changes its meaning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """meaning: one sentence. may_be_retried: whether the same request can succeed later, unchanged."""

    meaning: str
    may_be_retried: bool


_RETRIED = {
    "bank_failed": "The product's bank cannot be loaded. GET /readyz names the reason.",
    "banks_not_writable": "The server cannot write its bank directory.",
    "body_timeout": "The body arrived too slowly.",
    "deadline_passed": "The part was not scored before its deadline.",
    "device_full": "The device that scores has no memory left for this part.",
    "head_timeout": "The headers of the request arrived too slowly.",
    "loading": "The product's bank is being loaded.",
    "not_ready": "The server is not ready.",
    "not_running": "The server stopped before it could do the work.",
    "overloaded": "The server is at its limit of parts, uploads, batches, builds or streams.",
    "rate_exceeded": "The API key, or the address of the client, sends too often.",
    "sensor_changed": "A version that declares another sensor became active while the part was decoded.",
    "shutting_down": "The server is shutting down.",
    "state_unavailable": "The server cannot use its state folder. Parts are still scored.",
    "too_many_connections": "The server has as many connections as it may have.",
}
_FINAL = {
    "already_active": "The version is the active one, so it cannot be the shadow.",
    "bank_damaged": "A file of the bank version is missing, damaged or unreadable.",
    "bank_order_failed": "The server failed to change which version is in use. Its log has the cause.",
    "body_too_large": "The body, or its JSON, is too large.",
    "build_refused": "The good parts do not make a bank.",
    "cloud_fields": "The fields of the PLY or PCD cloud cannot be used.",
    "compression_ratio": "The file is compressed too much.",
    "conflicting_fields": "Two fields of the form exclude each other.",
    "cross_site": "The request comes from a web page of another site.",
    "degenerate_cloud": "All points of the cloud lie in one spot or on one line.",
    "depth_dtype": "The numbers of the depth map have a type that is not accepted.",
    "depth_shape": "The depth map is not height x width.",
    "disk_full": "A disk of the server is full.",
    "empty": "A file is empty.",
    "field_too_large": "A field of the form, or a file of the zip, is too large.",
    "foreign_origin": "The Host or Origin header names another server.",
    "head_too_large": "The headers of the request are too large.",
    "idempotency_key_reused": "The Idempotency-Key came before with another request.",
    "idempotency_key_unused": "The Idempotency-Key would have no effect on this route.",
    "image_bits": "The values of the image are beyond the bits of the images of the product.",
    "internal": "The server failed on this request. Its log has the cause.",
    "interrupted": "The server stopped too often while the job ran.",
    "intrinsics_invalid": "The intrinsics of the camera cannot be used.",
    "invalid_body": "The JSON body does not fit its schema.",
    "invalid_idempotency_key": "The Idempotency-Key is empty, too long or not printable.",
    "invalid_inference": "The request of the Open Inference Protocol cannot be used.",
    "invalid_parameter": "A parameter of the query or of the path is unknown, repeated or out of range.",
    "invalid_part_id": "The part_id is empty, too long or not printable.",
    "invalid_product": "The name cannot be the name of a product.",
    "job_not_ended": "The job has not ended, so it cannot be deleted.",
    "key_required": "The server needs an API key, and the request has none that is valid.",
    "malformed_form": "The multipart body cannot be read.",
    "malformed_http": "The request is not valid HTTP.",
    "method_not_allowed": "The address does not accept this method.",
    "missing_field": "A field or an input is missing.",
    "multi_frame": "The PNG is an animation.",
    "multi_page": "The TIFF has more than one page.",
    "no_body": "The request has no body.",
    "no_cloud": "The part has no cloud, and the bank needs one.",
    "no_disk": "The server's disk has no room for the upload.",
    "no_foreground": "The cloud has no valid point.",
    "no_image": "The part has no image, and the bank needs one.",
    "no_memory_for_bank": "The version does not fit into the memory budget of the server.",
    "no_object": "The cloud shows the support plane alone.",
    "no_parts": "The folder or the zip holds no parts.",
    "no_parts_dir": "The operator has set no folder for parts.",
    "no_points": "The part has no valid point without its background.",
    "not_acceptable": "The Accept header allows none of the forms of the answer.",
    "not_accepted": "No person called the part of this result good.",
    "not_active": "The version is not the active one.",
    "not_found": "There is nothing at this address.",
    "nothing_to_add": "No part is left that the version does not hold already.",
    "nothing_to_extend": "Parts of results can only extend a version.",
    "nothing_to_roll_back_to": "No version was active before this one.",
    "npy_dtype": "The NPY file does not hold integers or floating point numbers.",
    "npz_entries": "An entry of the NPZ part is missing, unknown or repeated.",
    "other_scale": "The points of the cloud are not as far apart as those of the good parts: another unit?",
    "out_of_range": "A coordinate is too far from the camera.",
    "part_left_out": "A file of the batch is not one half of a part.",
    "part_not_kept": "The part of this result is no longer kept.",
    "parts_not_kept": "The version did not keep its parts.",
    "proxied": "A server without API keys accepts no requests through a proxy.",
    "refused": "The request was refused.",
    "repeated_field": "A field of the form is there twice.",
    "rgb_dtype": "The numbers of the image have a type that is not accepted.",
    "rgb_shape": "The image is not height x width x 3.",
    "roi_invalid": "The region of interest cannot be used.",
    "roi_size": "The part does not have the size of the product's region of interest.",
    "role_too_small": "The role of the API key does not allow this.",
    "scoring_failed": "The server failed on this part. Its log has the cause.",
    "sensor_invalid": "What is declared about the files of the part cannot be used.",
    "size_mismatch": "The image and the cloud do not have the same size.",
    "target_too_long": "The address of the request is too long.",
    "too_few_points": "The part has too few points without its background.",
    "too_many_bytes": "A file has too many bytes.",
    "too_many_bytes_decoded": "A file decodes to too many bytes.",
    "too_many_entries": "The zip or the NPZ part has too many entries.",
    "too_many_fields": "The form has too many fields.",
    "too_many_pixels": "The image or the cloud has too many pixels.",
    "too_small": "The image or the cloud is too small.",
    "unit_contradicted": "The file of the cloud names another unit than the declared one.",
    "unknown_field": "A field of the form is not known.",
    "unknown_job": "There is no such job.",
    "unknown_part": "The version was built from no such part.",
    "unknown_product": "No bank of that name is served.",
    "unknown_profile": "There is no profile of that name.",
    "unknown_result": "There is no such result, or it is no longer kept.",
    "unknown_version": "The product has no such version.",
    "unnamed_file": "A file of the form has no file name.",
    "unorganised_cloud": "The points of the cloud do not lie on the grid of the image.",
    "unreadable": "A file is damaged or incomplete.",
    "unsafe_archive": "The zip has an entry that is not accepted.",
    "unsafe_folder": "The folder does not lie below the folder for parts.",
    "unsupported_body": "The media type of the body is not accepted.",
    "unsupported_compression": "The compression of the file is not accepted.",
    "unsupported_encoding": "The encoding of the body or of the image is not accepted.",
    "unsupported_type": "The format of the file was not recognised.",
    "version_in_use": "The version is active or the shadow, so it cannot be deleted.",
    "xyz_dtype": "The numbers of the cloud have a type that is not accepted.",
    "xyz_scale": "The entries xyz_scale and xyz_offset of the NPZ part cannot be used.",
    "xyz_shape": "The cloud is not height x width x 3.",
}
CODES: Mapping[str, Code] = {
    code: Code(meaning, may_be_retried)
    for meanings, may_be_retried in ((_RETRIED, True), (_FINAL, False))
    for code, meaning in sorted(meanings.items())
}

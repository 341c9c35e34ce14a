// Pictures of the good parts that a version was built from.

import { ask, ofProduct } from "./api";
import { make } from "./page";

// A picture of a good part, or of the square of it around a place. It stays hidden where the version kept no parts.
export function goodPart(product: string, version: string, part: string, place?: { x: number; y: number }): HTMLElement {
  const image = make("img", { alt: `good ${place ? "patch of" : "part"} ${part}`, className: "patch", hidden: true });
  const query = new URLSearchParams({ part, ...(place && { x: String(place.x), y: String(place.y) }) });
  const path = `${ofProduct(product)}/versions/${version}/good-part?${query}`;
  const shown = (blob: Blob) => {
    image.addEventListener("load", () => URL.revokeObjectURL(image.src), { once: true });
    image.src = URL.createObjectURL(blob);
    image.hidden = false;
  };
  void ask(path).then((response) => response.blob()).then(shown, () => {});
  return image;
}

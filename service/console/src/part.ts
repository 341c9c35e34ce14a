// Scoring a part that was dropped, and showing all that is known of it.

import { ask, ofProduct, type Coverage } from "./api";
import { Cloud } from "./cloud";
import { goodPart } from "./good-part";
import { attempt, el, make, number, rows } from "./page";
import { Scan } from "./scan";

const IMAGES = /\.(png|jpe?g|bmp|tiff?)$/i;
const CLOUDS = /\.(tiff?|pcd|ply|npy)$/i;
let cloud: Cloud | null = null;
let scan: Scan | null = null;

export function startPart(product: () => string, scored: () => void): void {
  const form = el<HTMLFormElement>("drop");
  const input = el<HTMLInputElement>("files");
  const run = (files: FileList | null) =>
    attempt(async () => {
      scan = await score(product(), [...(files ?? [])]);
      show(scan);
      scored();
    });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void run(input.files);
  });
  form.addEventListener("dragover", (event) => {
    event.preventDefault();
    form.classList.add("over");
  });
  form.addEventListener("dragleave", () => form.classList.remove("over"));
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    form.classList.remove("over");
    void run(event.dataTransfer?.files ?? null);
  });
  el("photo").addEventListener("change", paintCloud);
}

async function score(product: string, files: File[]): Promise<Scan> {
  const body = new FormData();
  const name = files[0]?.name.replace(/\.[^.]+$/, "");
  const sample = files.find((file) => /\.npz$/i.test(file.name));
  const xyz = files.find((file) => CLOUDS.test(file.name));
  const rgb = files.find((file) => file !== xyz && IMAGES.test(file.name));
  if (sample) body.set("sample", sample);
  else if (xyz) {
    body.set("xyz", xyz);
    if (rgb) body.set("rgb", rgb);
  } else throw new Error("Choose an image and a cloud, or one NPZ.");
  if (name) body.set("part_id", name.slice(0, 128));
  const path = `${ofProduct(product)}/score`;
  const response = await ask(path, { method: "POST", body, headers: { Accept: "application/x-npz" } });
  return new Scan(await response.arrayBuffer());
}

function show(scan: Scan): void {
  const { answer } = scan;
  el("answer").hidden = false;
  const verdict = el("verdict");
  verdict.className = answer.decision;
  verdict.textContent = `${answer.decision}: score ${number(answer.score)}, threshold ${number(answer.threshold)} (${answer.product} ${answer.bank_version}, ${Math.round(answer.timings_ms.total ?? 0)} ms)`;
  const banks = Object.keys(answer.banks).filter((bank) => scan.maps.has(bank));
  el("maps").replaceChildren(
    picture("result, fixed scale", scan.overlay()),
    picture("RGB", scan.photo()),
    picture("depth", scan.depth()),
    ...banks.map((bank) => picture(`${bank} bank, own scale`, scan.bank(bank))),
  );
  showScale(scan);
  paintCloud();
  const coverage = answer.contributions.coverage ?? 0;
  const byBank = Object.entries(answer.banks).map(([bank, value]) => {
    const evidence = answer.evidence[bank];
    const near = evidence ? `${number(evidence.distance)} from ${evidence.training_part ?? "the zero row"}` : "";
    // The nearest good patch as it looked, where the version keeps its parts.
    const seen = evidence?.place
      ? goodPart(answer.product, answer.bank_version, evidence.training_part ?? "", evidence.place)
      : "";
    return [bank, number(value), number(answer.contributions[bank] ?? 0), make("span", {}, near, seen)];
  });
  rows(
    "facts",
    coverage > 0 ? [...byBank, ["coverage", "", number(coverage), shown(answer.coverage)]] : byBank,
    ["bank", "score", "share of the result", "patch that decided: nearest good patch"],
  );
  rows(
    "regions",
    answer.regions.map(({ area, box, extent_m, peak }, i) => [
      `${i + 1}`,
      number(peak),
      `${Math.round(area)} px`,
      [box.left, box.top, box.right, box.bottom].map(Math.round).join(", "),
      extent_m ? [extent_m.x, extent_m.y, extent_m.z].map((m) => (1000 * m).toFixed(1)).join(" x ") + " mm" : "no point",
    ]),
    ["", "peak", "area", "left, top, right, bottom", "extent"],
  );
}

function paintCloud(): void {
  if (!scan) return;
  const canvas = el("cloud").querySelector("canvas")!;
  try {
    cloud ??= new Cloud(canvas);
  } catch {
    el("cloud").querySelector("figcaption")!.textContent = "This browser shows no 3D (WebGL is off).";
    return;
  }
  cloud.show(scan, el<HTMLInputElement>("photo").checked);
  canvas.dataset.points = String(scan.valid.reduce((sum, one) => sum + one, 0));
}

function picture(caption: string, data: ImageData): HTMLElement {
  const canvas = make("canvas", { width: data.width, height: data.height });
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", caption);
  canvas.getContext("2d")!.putImageData(data, 0, 0);
  return make("figure", {}, canvas, make("figcaption", {}, caption));
}

function showScale(scan: Scan): void {
  const bar = el("scale");
  const stops = Array.from({ length: 17 }, (_, i) => `rgb(${scan.color(i / 16).join(" ")})`);
  bar.style.background = `linear-gradient(to right, ${stops.join(", ")})`;
  const marks: [number, string][] = [
    [scan.low, number(scan.low)],
    [scan.outline, `${number(scan.outline)} outline`],
    [scan.high, number(scan.high)],
  ];
  bar.replaceChildren(
    ...marks.map(([value, label]) => {
      const mark = make("span", {}, label);
      mark.style.left = `${100 * scan.position(value)}%`;
      return mark;
    }),
  );
}

function shown(coverage: Coverage | null | undefined): string {
  const text = "The part shows less or more surface than the good parts, or fewer pieces.";
  if (!coverage) return text;
  const [area, least, most] = [coverage.area_m2, coverage.least_area_m2, coverage.most_area_m2].map((m2) => number(1e6 * m2));
  return `${text} Surface: ${area} mm² (good parts ${least} to ${most} mm²). Pieces: ${coverage.pieces ?? "not counted"} (good parts ${coverage.fewest_pieces} or more).`;
}

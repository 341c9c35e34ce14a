// The region of interest: polygons over a picture of a part, saved as the roi.json of a product folder.

import { ask, get, ofProduct, type Product } from "./api";
import { attempt, download, el, make, rows } from "./page";

type Point = [x: number, y: number];
interface Polygon {
  points: Point[];
  look: string;
}

const LOOKS: [look: string, words: string][] = [
  ["both", "colour and shape"],
  ["colour", "colour only"],
  ["shape", "shape only"],
  ["nothing", "nothing"],
];
const FEWEST_CORNERS = 3;
const SVG = "http://www.w3.org/2000/svg";
const STEPS: Record<string, Point> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

let [width, height] = [0, 0]; // of the picture as stored, pixels
let cross: Point = [0, 0];
let polygons: Polygon[] = [];
let open = false; // whether the last polygon still takes corners
const elsewhere = choice("nothing", () => {});

export function startRoi(product: () => string): void {
  const file = el<HTMLInputElement>("roi-picture");
  const drawing = el<SVGSVGElement>("roi-drawing");
  el("roi-elsewhere").append(elsewhere);
  file.addEventListener("change", () => void attempt(() => show(file.files?.[0])));
  drawing.addEventListener("click", (event) => {
    const box = drawing.getBoundingClientRect();
    cross = inside((width * (event.clientX - box.left)) / box.width, (height * (event.clientY - box.top)) / box.height);
    addCorner();
  });
  drawing.addEventListener("keydown", (event) => {
    const work = key(event);
    if (!work) return;
    event.preventDefault();
    void attempt(async () => work());
  });
  el("roi-close").addEventListener("click", () => void attempt(async () => close()));
  el("roi-undo").addEventListener("click", undo);
  el("roi-save").addEventListener("click", () => void attempt(async () => save()));
  el("roi-read").addEventListener("click", () => void attempt(() => showKept(product())));
}

// The region that parts are scored with now.
async function showKept(product: string): Promise<void> {
  const kept = el<HTMLImageElement>("roi-kept");
  const path = ofProduct(product);
  kept.parentElement!.hidden = true;
  const { bank_version } = await get<Product>(path);
  if (!bank_version) throw new Error("The product is not loaded yet.");
  const response = await ask(`${path}/versions/${bank_version}/roi`);
  URL.revokeObjectURL(kept.src);
  kept.src = URL.createObjectURL(await response.blob());
  kept.alt = `region of interest of ${product} ${bank_version}`;
  kept.parentElement!.hidden = false;
}

function key(event: KeyboardEvent): (() => void) | undefined {
  const step = STEPS[event.key];
  const by = event.shiftKey ? 1 : Math.ceil(width / 100);
  if (step) return () => moveTo(cross[0] + by * step[0], cross[1] + by * step[1]);
  return { " ": addCorner, Enter: close, Backspace: undo }[event.key];
}

// The polygons stay for another picture of the same size: the region can be checked on more parts.
async function show(file: File | undefined): Promise<void> {
  if (!file) return;
  const image = el<HTMLImageElement>("roi-image");
  URL.revokeObjectURL(image.src);
  image.src = URL.createObjectURL(file);
  el("roi").hidden = false;
  try {
    await image.decode();
  } catch {
    el("roi").hidden = true;
    throw new Error("The browser cannot show this picture. Save the picture as PNG in the same size, and choose the PNG.");
  }
  const size = stored(image);
  if (size[0] !== width || size[1] !== height) {
    [width, height] = size;
    [polygons, open] = [[], false];
    cross = inside(width / 2, height / 2);
  }
  el("roi-drawing").setAttribute("viewBox", `0 0 ${width} ${height}`);
  draw();
}

// Width and height of the picture as stored. Natural sizes follow EXIF, the layout does not (style.css).
function stored(image: HTMLImageElement): Point {
  const { width: across, height: down } = image.getBoundingClientRect();
  const [wide, high] = [image.naturalWidth, image.naturalHeight];
  return across > down === wide > high ? [wide, high] : [high, wide];
}

function inside(x: number, y: number): Point {
  return [Math.min(Math.max(Math.round(x), 0), width), Math.min(Math.max(Math.round(y), 0), height)];
}

function moveTo(x: number, y: number): void {
  cross = inside(x, y);
  draw();
}

function addCorner(): void {
  if (!open) polygons.push({ points: [], look: "both" });
  open = true;
  polygons.at(-1)!.points.push(cross);
  draw();
}

function close(): void {
  if (open && polygons.at(-1)!.points.length < FEWEST_CORNERS) throw new Error("A polygon needs three corners. Put another corner, or undo.");
  open = false;
  draw();
}

// Take back the last corner of the open polygon, or else the last polygon.
function undo(): void {
  if (open) polygons.at(-1)!.points.pop();
  if (!open || !polygons.at(-1)!.points.length) {
    polygons.pop();
    open = false;
  }
  draw();
}

function save(): void {
  close();
  const looks = [elsewhere.value, ...polygons.map(({ look }) => look)];
  if (!polygons.length) throw new Error("Draw a polygon first.");
  if (looks.every((look) => look === "nothing")) throw new Error("Nothing is looked at. Choose what is looked at in a polygon or elsewhere.");
  const roi = { polygons, elsewhere: elsewhere.value, width, height };
  download(new Blob([JSON.stringify(roi)], { type: "application/json" }), "roi.json");
}

function draw(): void {
  const [x, y] = cross;
  const arm = width / 50;
  el("roi-drawing").replaceChildren(
    ...polygons.map(({ points, look }, i) => shape(open && i === polygons.length - 1 ? "polyline" : "polygon", `look-${look}`, { points: points.join(" ") })),
    shape("path", "cross", { d: `M${x - arm} ${y}h${2 * arm}M${x} ${y - arm}v${2 * arm}` }),
  );
  rows(
    "roi-polygons",
    polygons.map((polygon, i) => {
      const look = choice(polygon.look, (chosen) => {
        polygon.look = chosen;
        el("roi-drawing").children[i]!.setAttribute("class", `look-${chosen}`);
      });
      return [`Polygon ${i + 1}`, `${polygon.points.length} corners`, make("label", {}, `look at in polygon ${i + 1} `, look)];
    }),
  );
  const state = open ? `Polygon ${polygons.length} has ${polygons.at(-1)!.points.length} corners.` : "The next corner begins a polygon.";
  el("roi-state").textContent = `The cross is at ${x}, ${y} of ${width} x ${height} pixels. ${state}`;
}

function shape(tag: string, name: string, attributes: Record<string, string>): SVGElement {
  const found = document.createElementNS(SVG, tag) as SVGElement;
  for (const [attribute, value] of Object.entries({ class: name, ...attributes })) found.setAttribute(attribute, value);
  return found;
}

function choice(chosen: string, changed: (look: string) => void): HTMLSelectElement {
  const select = make("select", {}, ...LOOKS.map(([value, words]) => make("option", { value }, words)));
  select.value = chosen;
  select.addEventListener("change", () => changed(select.value));
  return select;
}

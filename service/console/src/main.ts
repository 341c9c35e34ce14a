// The page: one product at a time, its parts, threshold, versions, results and jobs.

import { activate } from "./activate";
import { get, knownKey, ofProduct, rememberKey, send, type Calibration, type Product, type Versions } from "./api";
import { goodPart } from "./good-part";
import { showJobs, showProfiles, startJobs } from "./jobs";
import { startNews } from "./news";
import { action, attempt, confirmed, el, make, number, refreshing, rows } from "./page";
import { startPart } from "./part";
import { refreshResults, showResults, startResults } from "./results";
import { startRoi } from "./roi";
import { showServers, startServers } from "./servers";
import { showThreshold, startThreshold } from "./threshold";

const EVERY_MS = 3000;
const SELDOM_MS = 10_000; // new results are told at once, what others say of them is not
const MOST_PICTURES = 8; // of a version's odd parts
const products = el<HTMLSelectElement>("product");
const key = el<HTMLInputElement>("key");

async function listProducts(): Promise<void> {
  const found = await get<{ products: { product: string }[] }>("v1/products");
  const chosen = products.value || location.hash.slice(1);
  products.replaceChildren(...found.products.map(({ product }) => make("option", { value: product }, product)));
  if (found.products.some(({ product }) => product === chosen)) products.value = chosen;
  // These buttons do nothing before a product is known.
  for (const button of document.querySelectorAll<HTMLButtonElement>("[data-of-product]")) button.disabled = !products.value;
  if (!found.products.length) throw new Error("No product is served yet. Build one: tribank build PRODUCT DATA --banks DIR.");
}

async function showProduct(): Promise<void> {
  if (!products.value) return;
  location.hash = products.value;
  const product = await get<Product>(ofProduct(products.value));
  const parts = product.training_parts ? `, ${product.profile}, ${product.training_parts} good parts` : "";
  el("state").textContent = `${product.state}${parts}${product.note ? ` - ${product.note}` : ""}`;
  showVersions(product, await get<Versions>(`${ofProduct(products.value)}/versions`));
  await showThreshold(product);
}

function showVersions(product: Product, { versions }: Versions): void {
  rows(
    "versions",
    versions.map(({ version, active, shadow, calibration }) => {
      const evidence = calibration
        ? make("span", {}, `${calibration.statement}; threshold ${number(calibration.threshold)}`, ...odd(version, calibration))
        : "its manifest cannot be read";
      const standsIn = !active && version === product.bank_version;
      const role = [active && "active", standsIn && "in use", shadow && "shadow"].filter(Boolean).join(", ");
      // An active version that another one stands in for can be tried again.
      if (active && (product.bank_version ?? version) === version) return [version, evidence, role];
      const button = action("manage", `Activate ${version}`, () => change(() => activate(products.value, version)));
      return [version, evidence, make("span", {}, role && `${role} `, button)];
    }),
  );
}

// The held-out parts that score far outside the others, each with a button that counts it again. The first have a picture.
function odd(version: string, { odd_parts }: Calibration): Node[] {
  return odd_parts.map(({ part, score }, place) => {
    const isGood = () => send("PUT", `${ofProduct(products.value)}/versions/${version}/odd-parts`, { part, review: "good" });
    const button = action("manage", "It is good", () => change(isGood));
    const picture = place < MOST_PICTURES ? [goodPart(products.value, version, part)] : [];
    return make("div", {}, `Far outside the others: ${part} (${number(score)}) `, button, ...picture);
  });
}

function change(work: () => Promise<void>): void {
  void attempt(async () => {
    await work();
    await showProduct();
  });
}

async function rollBack(): Promise<void> {
  const product = products.value;
  if (await confirmed(`The version that was active before scores the parts of ${product} from now on.`, "Roll back"))
    await send("POST", `${ofProduct(product)}/rollback`);
}

async function deleteProduct(): Promise<void> {
  const product = products.value;
  const question = `Delete the product ${product} with all its versions. Its results and what was changed stay on record.`;
  if (!(await confirmed(question, `Delete ${product}`, product))) return;
  await send("DELETE", `${ofProduct(product)}?confirm=${encodeURIComponent(product)}`);
  location.hash = "";
  location.reload();
}

// Show the parts of the page that the key may use.
async function showRole(): Promise<void> {
  delete document.body.dataset.role;
  const { name, role } = await get<{ name: string | null; role: string }>("v1/key");
  document.body.dataset.role = role;
  el("who").textContent = name === null ? "" : `${name} (${role})`;
}

function look(): void {
  if (!document.hidden) void refreshResults().catch(() => {});
}

// What depends on the key and not on the product.
async function begin(): Promise<void> {
  await Promise.all([showRole(), showProfiles(), showServers()]);
  await showAll();
}

async function showAll(): Promise<void> {
  await listProducts();
  await showProduct();
  if (products.value) await showResults(products.value);
  listen();
  await showJobs();
}

const refresh = () => void refreshing(showProduct);
const listen = startNews(() => products.value, look);
startPart(
  () => products.value,
  () => void refreshing(async () => Promise.all([showProduct(), refreshResults()]).then(() => {})),
);
startThreshold(refresh);
startRoi(() => products.value);
startResults(refresh);
startServers();
startJobs(
  () => products.value,
  () => void refreshing(async () => listProducts().then(showProduct)),
);
el("rollback").addEventListener("click", () => change(rollBack));
el("delete").addEventListener("click", () => void attempt(deleteProduct));
products.addEventListener("change", () => void attempt(showAll));
key.value = knownKey();
key.addEventListener("change", () => {
  rememberKey(key.value);
  void attempt(begin);
});
window.setInterval(() => void showJobs().catch(() => {}), EVERY_MS);
window.setInterval(look, SELDOM_MS);
void refreshing(begin);

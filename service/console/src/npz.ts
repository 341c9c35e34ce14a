// NPZ as numpy.savez writes it: a zip of stored .npy files, little endian.

export interface Tensor {
  shape: number[];
  data: Uint8Array | Float32Array | Float64Array;
}

const KINDS: Record<string, (bytes: ArrayBuffer) => Tensor["data"]> = {
  "|u1": (bytes) => new Uint8Array(bytes),
  "|b1": (bytes) => new Uint8Array(bytes),
  "<f4": (bytes) => new Float32Array(bytes),
  "<f8": (bytes) => new Float64Array(bytes),
};

export function readNpz(file: ArrayBuffer): Map<string, Tensor> {
  const view = new DataView(file);
  let end = file.byteLength - 22;
  while (end >= 0 && view.getUint32(end, true) !== 0x06054b50) end--;
  if (end < 0) throw new Error("The answer is no NPZ.");
  const found = new Map<string, Tensor>();
  let entry = view.getUint32(end + 16, true);
  for (let count = view.getUint16(end + 10, true); count > 0; count--) {
    const nameLength = view.getUint16(entry + 28, true);
    const name = text(file, entry + 46, nameLength);
    const local = view.getUint32(entry + 42, true);
    const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    found.set(name.replace(/\.npy$/, ""), readNpy(file, start));
    entry += 46 + nameLength + view.getUint16(entry + 30, true) + view.getUint16(entry + 32, true);
  }
  return found;
}

function readNpy(file: ArrayBuffer, start: number): Tensor {
  const view = new DataView(file, start);
  const long = view.getUint8(6) > 1;
  const length = long ? view.getUint32(8, true) : view.getUint16(8, true);
  const body = start + (long ? 12 : 10) + length;
  const head = text(file, body - length, length);
  const kind = /'descr': '([^']+)'/.exec(head)?.[1] ?? "";
  const shape = (/'shape': \(([^)]*)\)/.exec(head)?.[1] ?? "").split(",").filter((s) => s.trim()).map(Number);
  const make = KINDS[kind];
  if (!make) throw new Error(`The answer has an array of type ${kind}.`);
  const bytes = shape.reduce((a, b) => a * b, 1) * Number(kind.slice(2));
  return { shape, data: make(file.slice(body, body + bytes)) };
}

function text(file: ArrayBuffer, start: number, length: number): string {
  return new TextDecoder().decode(new Uint8Array(file, start, length));
}

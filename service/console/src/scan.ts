// One scored part: what the service answers as NPZ, and its pictures.

import type { Answer } from "./api";
import { readNpz } from "./npz";

export class Scan {
  readonly answer: Answer;
  readonly size: number;
  readonly xyz: Float32Array;
  readonly valid: Uint8Array;
  readonly maps: Map<string, Float32Array>;
  readonly low: number;
  readonly high: number;
  readonly outline: number;
  private readonly rgb: Uint8Array;
  private readonly rgbSize: number;
  private readonly colors: Uint8Array;

  constructor(file: ArrayBuffer) {
    const arrays = readNpz(file);
    const data = (name: string) => {
      const tensor = arrays.get(name);
      if (!tensor) throw new Error(`The answer has no ${name}.`);
      return tensor;
    };
    this.answer = JSON.parse(new TextDecoder().decode(data("result").data as Uint8Array));
    this.size = data("map").shape[0]!;
    this.rgb = data("rgb").data as Uint8Array;
    this.rgbSize = data("rgb").shape[0]!;
    this.xyz = data("xyz").data as Float32Array;
    this.valid = data("valid").data as Uint8Array;
    this.colors = data("colors").data as Uint8Array;
    [this.low, this.high, this.outline] = data("scale").data as unknown as [number, number, number];
    this.maps = new Map([["result", data("map").data as Float32Array]]);
    for (const bank of Object.keys(this.answer.banks)) {
      const map = arrays.get(`${bank}_map`);
      if (map) this.maps.set(bank, map.data as Float32Array);
    }
  }

  // 0..1 on the bank version's fixed scale.
  position(score: number): number {
    return Math.min(Math.max((score - this.low) / (this.high - this.low || 1), 0), 1);
  }

  // The fixed colour of a position: red, green, blue, 0..255.
  color(position: number): [number, number, number] {
    const at = 3 * Math.round(position * 255);
    return [this.colors[at]!, this.colors[at + 1]!, this.colors[at + 2]!];
  }

  // The part's own colour at a pixel of the map.
  own(pixel: number): [number, number, number] {
    const ratio = this.rgbSize / this.size;
    const y = Math.floor(Math.floor(pixel / this.size) * ratio);
    const at = 3 * (y * this.rgbSize + Math.floor((pixel % this.size) * ratio));
    return [this.rgb[at]!, this.rgb[at + 1]!, this.rgb[at + 2]!];
  }

  photo(): ImageData {
    return this.paint((pixel) => this.own(pixel));
  }

  depth(): ImageData {
    let near = Infinity;
    let far = -Infinity;
    for (let i = 0; i < this.valid.length; i++) {
      if (!this.valid[i]) continue;
      near = Math.min(near, this.xyz[3 * i + 2]!);
      far = Math.max(far, this.xyz[3 * i + 2]!);
    }
    return this.paint((pixel) => {
      const grey = this.valid[pixel] ? 235 - (200 * (this.xyz[3 * pixel + 2]! - near)) / (far - near || 1) : 0;
      return [grey, grey, grey];
    });
  }

  // The final map on the part, by the fixed scale.
  overlay(): ImageData {
    const map = this.maps.get("result")!;
    return this.paint((pixel) => {
      const position = this.position(map[pixel]!);
      const [color, own] = [this.color(position), this.own(pixel)];
      return color.map((c, i) => c * 0.75 * position + own[i]! * (1 - 0.75 * position)) as [number, number, number];
    });
  }

  // One bank's distances: no common unit with the result, so from its own least to its own greatest.
  bank(name: string): ImageData {
    const map = this.maps.get(name)!;
    let [least, most] = [Infinity, -Infinity];
    for (const value of map) [least, most] = [Math.min(least, value), Math.max(most, value)];
    return this.paint((pixel) => this.color((map[pixel]! - least) / (most - least || 1)));
  }

  private paint(at: (pixel: number) => [number, number, number]): ImageData {
    const picture = new ImageData(this.size, this.size);
    for (let pixel = 0; pixel < this.size * this.size; pixel++) {
      const [red, green, blue] = at(pixel);
      picture.data.set([red, green, blue, 255], 4 * pixel);
    }
    return picture;
  }
}

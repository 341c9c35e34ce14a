// The part in 3D: its points, coloured by score or by themselves.

import { BufferAttribute, BufferGeometry, PerspectiveCamera, Points, PointsMaterial, Scene, SRGBColorSpace, Color, WebGLRenderer } from "three";
import { OrbitControls } from "three/examples/jsm/controls/OrbitControls.js";
import type { Scan } from "./scan";

export class Cloud {
  private readonly renderer: WebGLRenderer;
  private readonly camera = new PerspectiveCamera(40, 1.6, 0.001, 100);
  private readonly controls: OrbitControls;
  private readonly scene = new Scene();
  private readonly material = new PointsMaterial({ size: 0.001, vertexColors: true });
  private points = new Points(new BufferGeometry(), this.material);

  constructor(private readonly canvas: HTMLCanvasElement) {
    this.renderer = new WebGLRenderer({ canvas, antialias: true, preserveDrawingBuffer: true });
    this.renderer.setClearColor(0x0d1014);
    this.controls = new OrbitControls(this.camera, canvas);
    this.controls.addEventListener("change", () => this.draw());
    this.scene.add(this.points);
    new ResizeObserver(() => this.draw()).observe(canvas);
    canvas.addEventListener("keydown", (event) => this.onKey(event));
  }

  show(scan: Scan, photo: boolean): void {
    const map = scan.maps.get("result")!;
    const pixels = [...scan.valid.keys()].filter((pixel) => scan.valid[pixel]);
    const places = new Float32Array(3 * pixels.length);
    const colors = new Float32Array(3 * pixels.length);
    const color = new Color();
    pixels.forEach((pixel, i) => {
      // Cameras look along +z with y down; here y is up.
      places.set([scan.xyz[3 * pixel]!, -scan.xyz[3 * pixel + 1]!, -scan.xyz[3 * pixel + 2]!], 3 * i);
      const position = scan.position(map[pixel]!);
      const own = scan.own(pixel).map((c) => (photo ? c : 60 + c * 0.55));
      const heat = photo ? own : scan.color(position).map((c, k) => c * position + own[k]! * (1 - position));
      color.setRGB(heat[0]! / 255, heat[1]! / 255, heat[2]! / 255, SRGBColorSpace);
      colors.set([color.r, color.g, color.b], 3 * i);
    });
    const geometry = new BufferGeometry();
    geometry.setAttribute("position", new BufferAttribute(places, 3));
    geometry.setAttribute("color", new BufferAttribute(colors, 3));
    geometry.computeBoundingSphere();
    this.points.geometry.dispose();
    this.points.geometry = geometry;
    const { center, radius } = geometry.boundingSphere!;
    this.material.size = (8 * radius) / scan.size;
    this.controls.target.copy(center);
    this.camera.position.set(center.x + 0.5 * radius, center.y + 0.9 * radius, center.z + 2.9 * radius);
    this.camera.near = radius / 100;
    this.camera.far = radius * 100;
    this.controls.update();
    this.draw();
  }

  private draw(): void {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!width || !height) return;
    this.renderer.setPixelRatio(window.devicePixelRatio);
    this.renderer.setSize(width, height, false);
    this.camera.aspect = width / height;
    this.camera.updateProjectionMatrix();
    this.renderer.render(this.scene, this.camera);
  }

  private onKey(event: KeyboardEvent): void {
    const turns: Record<string, [number, number]> = { ArrowLeft: [-0.15, 0], ArrowRight: [0.15, 0], ArrowUp: [0, -0.15], ArrowDown: [0, 0.15] };
    const zooms: Record<string, number> = { "+": 0.85, "=": 0.85, "-": 1 / 0.85 };
    const offset = this.camera.position.clone().sub(this.controls.target);
    const [turn, zoom] = [turns[event.key], zooms[event.key]];
    if (turn) {
      const flat = Math.hypot(offset.x, offset.z);
      const around = Math.atan2(offset.x, offset.z) + turn[0];
      const up = Math.min(Math.max(Math.atan2(offset.y, flat) - turn[1], -1.5), 1.5);
      const far = offset.length();
      offset.set(far * Math.cos(up) * Math.sin(around), far * Math.sin(up), far * Math.cos(up) * Math.cos(around));
    } else if (zoom) offset.multiplyScalar(zoom);
    else return;
    event.preventDefault();
    this.camera.position.copy(this.controls.target).add(offset);
    this.controls.update();
    this.draw();
  }
}

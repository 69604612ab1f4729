/** The photograph with its boxes: drawn, moved and sized by mouse, finger, pen or keyboard. */
import type { Box, Quadrilateral } from "../recognizer";
import { byId, make } from "./dom";

/** Shorter strokes, in CSS pixels, are taps. */
const SHORTEST_STROKE = 8;
/** What an arrow key moves, as a part of the shorter side of the picture. */
const KEY_STEP = 1 / 60;
const CORNERS = ["nw", "ne", "sw", "se"] as const;

type Corner = (typeof CORNERS)[number];
type Stroke =
  | { kind: "draw"; from: Point }
  | { kind: "move"; id: number; from: Point; box: Box }
  | { kind: "size"; id: number; corner: Corner; box: Box };

interface Point {
  readonly x: number;
  readonly y: number;
}

export interface StageEvents {
  /** A box is new or lies elsewhere now. */
  readonly changed: (id: number, box: Box, created: boolean) => void;
  readonly removed: (id: number) => void;
}

export class Stage {
  private readonly root = byId("stage");
  private readonly layer = byId("boxes");
  private readonly elements = new Map<number, HTMLElement>();
  private readonly boxes = new Map<number, Box>();
  /** How boxes lie that were found, and not moved since. */
  private readonly tilted = new Map<number, { box: Box; corners: Quadrilateral }>();
  private readonly sketch = make("div", { className: "sketch", hidden: true });
  private size = { width: 1, height: 1 };
  private stroke: Stroke | undefined;
  private lastId = 0;

  constructor(private readonly events: StageEvents) {
    this.root.addEventListener("pointerdown", (event) => this.begin(event));
    this.root.addEventListener("pointermove", (event) => this.go(event));
    this.root.addEventListener("pointerup", (event) => this.finish(event));
    this.root.addEventListener("pointercancel", () => this.abandon());
  }

  /** Empties the stage for another picture. */
  reset(width: number, height: number): void {
    this.size = { width, height };
    this.stroke = undefined;
    this.lastId = 0;
    this.elements.clear();
    this.boxes.clear();
    this.tilted.clear();
    this.sketch.hidden = true;
    this.layer.replaceChildren(this.sketch);
    this.root.style.setProperty("--aspect", String(width / height));
  }

  /** Puts a box onto the picture, by default one of a word's shape in the middle, and gives it the focus. */
  add(box: Box = this.middle()): void {
    const id = this.put(box);
    this.elements.get(id)!.focus({ preventScroll: true });
    this.events.changed(id, box, true);
  }

  /** Puts a box where a word was found, and returns its number and the upright box around it. */
  addFound(corners: Quadrilateral): { id: number; box: Box } {
    const at = (from: 0 | 1, to: 0 | 1): Point => ({
      x: [Math.min, Math.max][from]!(corners[0], corners[2], corners[4], corners[6]),
      y: [Math.min, Math.max][to]!(corners[1], corners[3], corners[5], corners[7]),
    });
    const box = between(at(0, 0), at(1, 1), this.size);
    const id = this.put(box);
    this.tilted.set(id, { box, corners });
    this.place(id, box);
    return { id, box };
  }

  private put(box: Box): number {
    const id = ++this.lastId;
    const handles = CORNERS.map((corner) => make("span", { className: `handle ${corner}` }));
    const element = make(
      "div",
      {
        className: "box",
        tabIndex: 0,
        attributes: { role: "application", "aria-roledescription": "box", "aria-describedby": "desk-help" },
      },
      [make("span", { className: "tag", attributes: { "aria-hidden": "true" } }), ...handles],
    );
    element.dataset["id"] = String(id);
    element.addEventListener("keydown", (event) => this.press(event, id));
    this.elements.set(id, element);
    this.layer.append(element);
    this.place(id, box);
    this.label(id, "");
    return id;
  }

  /** Takes a box away, and hands the focus on where it was there. */
  remove(id: number): void {
    const element = this.elements.get(id);
    const focused = element === document.activeElement;
    element?.remove();
    this.elements.delete(id);
    this.boxes.delete(id);
    this.tilted.delete(id);
    this.events.removed(id);
    if (focused || document.activeElement === document.body) {
      ([...this.elements.values()].at(-1) ?? byId("add-box")).focus();
    }
  }

  /** Writes what was read onto the box. */
  label(id: number, text: string): void {
    const element = this.elements.get(id);
    if (element) {
      element.ariaLabel = text === "" ? `Box ${id}` : `Box ${id}: ${text}`;
      const read = make("span", { className: "read", textContent: ` ${text}` });
      element.querySelector(".tag")!.replaceChildren(make("b", {}, [String(id)]), read);
    }
  }

  private middle(): Box {
    const { width, height } = this.size;
    const boxWidth = Math.max(1, Math.round(width * 0.4));
    const boxHeight = Math.max(1, Math.min(height, Math.round(boxWidth / 3)));
    // Each a little lower than the last, so that none hides another.
    const drop = (this.elements.size % 5) * Math.round(boxHeight / 3);
    const y = Math.min(height - boxHeight, Math.round((height - boxHeight) / 2) + drop);
    return { x: Math.round((width - boxWidth) / 2), y, width: boxWidth, height: boxHeight };
  }

  private place(id: number, box: Box): void {
    this.boxes.set(id, box);
    const element = this.elements.get(id)!;
    const found = this.tilted.get(id);
    if (found && same(found.box, box)) {
      setTilted(element, found.corners, this.size);
    } else {
      setPlace(element, box, this.size);
    }
  }

  private toPicture(event: PointerEvent): Point {
    const frame = this.layer.getBoundingClientRect();
    const along = (at: number, start: number, length: number): number =>
      Math.min(1, Math.max(0, (at - start) / length));
    return {
      x: along(event.clientX, frame.left, frame.width) * this.size.width,
      y: along(event.clientY, frame.top, frame.height) * this.size.height,
    };
  }

  private begin(event: PointerEvent): void {
    if (!event.isPrimary || event.button !== 0 || !(event.target instanceof Element)) {
      return;
    }
    const from = this.toPicture(event);
    const element = event.target.closest<HTMLElement>(".box");
    const corner = CORNERS.find((name) => (event.target as Element).matches(`.handle.${name}`));
    const id = Number(element?.dataset["id"]);
    const box = this.boxes.get(id);
    if (element && box) {
      element.focus({ preventScroll: true });
      this.stroke = corner ? { kind: "size", id, corner, box } : { kind: "move", id, from, box };
    } else {
      this.stroke = { kind: "draw", from };
    }
    this.root.setPointerCapture(event.pointerId);
    event.preventDefault();
  }

  private go(event: PointerEvent): void {
    const { stroke } = this;
    if (!stroke || !event.isPrimary) {
      return;
    }
    const to = this.toPicture(event);
    if (stroke.kind === "draw") {
      this.sketch.hidden = false;
      setPlace(this.sketch, between(stroke.from, to, this.size), this.size);
    } else if (stroke.kind === "move") {
      this.place(stroke.id, this.moved(stroke.box, to.x - stroke.from.x, to.y - stroke.from.y));
    } else {
      this.place(stroke.id, between(opposite(stroke.box, stroke.corner), to, this.size));
    }
  }

  private finish(event: PointerEvent): void {
    const { stroke } = this;
    if (!stroke || !event.isPrimary) {
      return;
    }
    this.go(event);
    this.stroke = undefined;
    this.sketch.hidden = true;
    if (stroke.kind === "draw") {
      const box = between(stroke.from, this.toPicture(event), this.size);
      const scale = this.layer.clientWidth / this.size.width;
      if (Math.min(box.width, box.height) * scale >= SHORTEST_STROKE) {
        this.add(box);
      }
      return;
    }
    const box = this.boxes.get(stroke.id);
    if (box && !same(box, stroke.box)) {
      this.events.changed(stroke.id, box, false);
    }
  }

  private abandon(): void {
    if (this.stroke && this.stroke.kind !== "draw") {
      this.place(this.stroke.id, this.stroke.box);
    }
    this.stroke = undefined;
    this.sketch.hidden = true;
  }

  private press(event: KeyboardEvent, id: number): void {
    const box = this.boxes.get(id)!;
    const step = Math.max(1, Math.round(Math.min(this.size.width, this.size.height) * KEY_STEP));
    const by = ARROWS[event.key];
    if (event.key === "Delete" || event.key === "Backspace") {
      this.remove(id);
    } else if (by && event.shiftKey) {
      const width = Math.max(1, Math.min(box.width + by.x * step, this.size.width - box.x));
      const height = Math.max(1, Math.min(box.height + by.y * step, this.size.height - box.y));
      this.change(id, { ...box, width, height });
    } else if (by) {
      this.change(id, this.moved(box, by.x * step, by.y * step));
    } else if (event.key === "Enter") {
      this.events.changed(id, box, false);
    } else {
      return;
    }
    event.preventDefault();
  }

  private change(id: number, box: Box): void {
    this.place(id, box);
    this.events.changed(id, box, false);
  }

  private moved(box: Box, dx: number, dy: number): Box {
    const x = Math.round(Math.min(this.size.width - box.width, Math.max(0, box.x + dx)));
    const y = Math.round(Math.min(this.size.height - box.height, Math.max(0, box.y + dy)));
    return { ...box, x, y };
  }
}

const ARROWS: Record<string, Point> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};

function setPlace(element: HTMLElement, box: Box, size: { width: number; height: number }): void {
  element.style.transform = "";
  element.style.left = `${(box.x / size.width) * 100}%`;
  element.style.top = `${(box.y / size.height) * 100}%`;
  element.style.width = `${(box.width / size.width) * 100}%`;
  element.style.height = `${(box.height / size.height) * 100}%`;
}

/** A rectangle is an upright one about the same middle, turned. */
function setTilted(element: HTMLElement, corners: Quadrilateral, size: { width: number; height: number }): void {
  const [x0, y0, x1, y1, x2, y2, x3, y3] = corners;
  const width = (Math.hypot(x1 - x0, y1 - y0) + Math.hypot(x2 - x3, y2 - y3)) / 2;
  const height = (Math.hypot(x3 - x0, y3 - y0) + Math.hypot(x2 - x1, y2 - y1)) / 2;
  const [x, y] = [(x0 + x1 + x2 + x3) / 4 - width / 2, (y0 + y1 + y2 + y3) / 4 - height / 2];
  setPlace(element, { x, y, width, height }, size);
  element.style.transform = `rotate(${Math.atan2(y1 + y2 - y0 - y3, x1 + x2 - x0 - x3)}rad)`;
}

function opposite(box: Box, corner: Corner): Point {
  return {
    x: corner.endsWith("w") ? box.x + box.width : box.x,
    y: corner.startsWith("n") ? box.y + box.height : box.y,
  };
}

/** The box that two corners span, in whole pixels and at least one of them. */
function between(a: Point, b: Point, size: { width: number; height: number }): Box {
  const x = Math.min(Math.floor(Math.min(a.x, b.x)), size.width - 1);
  const y = Math.min(Math.floor(Math.min(a.y, b.y)), size.height - 1);
  const right = Math.min(size.width, Math.max(x + 1, Math.ceil(Math.max(a.x, b.x))));
  const bottom = Math.min(size.height, Math.max(y + 1, Math.ceil(Math.max(a.y, b.y))));
  return { x, y, width: right - x, height: bottom - y };
}

function same(a: Box, b: Box): boolean {
  return a.x === b.x && a.y === b.y && a.width === b.width && a.height === b.height;
}

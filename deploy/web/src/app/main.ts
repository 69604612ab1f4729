import { type Box, cutOut, decodeImage, type Quadrilateral, SpinRecognizer, widen, type Word } from "../recognizer";
import { prepareCamera } from "./camera";
import { byId, percent } from "./dom";
import { detector, findWords, takeDetector } from "./finder";
import { prepareIntake } from "./intake";
import { clearError, explain, fileName, say, showError } from "./messages";
import { keepForOffline } from "./offline";
import { copyText, Plate } from "./plate";
import "./started";
import { Stage } from "./stage";

/** Larger pictures, of no word's shape, are photographs: there the reader says where the words are. */
const PHOTOGRAPH = { side: 480, widest: 2.2 };

interface Reading {
  readonly plate: Plate;
  /** Of several pictures, the one that the word is on; else it is on the picture that is open. */
  readonly file?: Blob | undefined;
  box: Box;
  /** How the word lies, where it was found and its box not moved since. */
  corners?: Quadrilateral | undefined;
  /** Words of one line belong together. */
  line?: number;
  text: string;
  /** Counts its readings: of two that overlap, the later one counts. */
  turn: number;
}

let picture: ImageBitmap | undefined;
let pictureUrl = "";
const readings = new Map<number, Reading>();

let loading: Promise<SpinRecognizer> | undefined;

/** The recogniser; after a failure, the next picture tries again. */
function recognizer(): Promise<SpinRecognizer> {
  loading ??= SpinRecognizer.load("spin.tflite").catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

const stage = new Stage({
  changed: (id, box) => {
    const reading = readings.get(id) ?? addReading(id, `Box ${id}`, box, () => stage.remove(id));
    if (String(Object.values(box)) !== String(Object.values(reading.box))) {
      reading.corners = undefined;
    }
    reading.box = box;
    void read(id, reading);
  },
  removed: (id) => {
    readings.get(id)?.plate.element.remove();
    readings.delete(id);
    updateCopyAll();
    say(`Box ${id} deleted`);
  },
});

function addReading(id: number, label: string, box: Box, remove?: () => void, file?: Blob): Reading {
  const again = (): void => void read(id, reading).then(() => plate.element.querySelector("button")?.focus());
  const plate = new Plate(label, { again, ...(remove && { remove }) }, file !== undefined);
  const reading: Reading = { plate, file, box, text: "", turn: 0 };
  readings.set(id, reading);
  // The newest comes first: on a phone, right below the photograph.
  byId("readings").prepend(plate.element);
  return reading;
}

/** Puts up what was read of an image. */
async function show(id: number, reading: Reading, source: ImageBitmap | ImageData, word: Word): Promise<void> {
  reading.text = word.text;
  stage.label(id, word.text);
  if (source instanceof ImageBitmap) {
    reading.plate.show(source, word);
    return;
  }
  const bitmap = await createImageBitmap(source);
  reading.plate.show(bitmap, word);
  bitmap.close();
}

const wholeOf = ({ width, height }: { width: number; height: number }): Box => ({ x: 0, y: 0, width, height });

async function read(id: number, reading: Reading): Promise<void> {
  const turn = ++reading.turn;
  const { plate } = reading;
  const current = (): boolean => turn === reading.turn && readings.get(id) === reading;
  let close = (): void => {};
  try {
    let image = picture;
    if (reading.file) {
      const own = (image = await decodeImage(reading.file));
      close = () => own.close();
      reading.box = wholeOf(own);
    }
    if (image === undefined) {
      return;
    }
    const reader = await recognizer();
    if (!current()) {
      return;
    }
    const crop = reading.corners && cutOut(image, widen(reading.corners));
    const word = crop ? await reader.read(crop) : await reader.read(image, { box: reading.box });
    if (!current()) {
      return;
    }
    await show(id, reading, crop ?? image, word);
    const found = word.text === "" ? "no word found" : `${word.text}, ${percent(word.confidence)} sure`;
    say(`${plate.label}: ${found}`);
    if (!reading.file) {
      clearError();
    }
  } catch (error) {
    if (current()) {
      reading.text = "";
      plate.showError(error);
      showError(explain(error, fileName(reading.file ?? new Blob())));
    }
  } finally {
    close();
  }
  updateCopyAll();
}

function updateCopyAll(): void {
  const few = [...readings.values()].filter(({ text }) => text !== "").length < 2;
  for (const id of ["copy-all", "copy-several"]) {
    byId(id).hidden = few;
  }
}

/** From here on there is something to see. */
function beginWork(): void {
  clearError();
  readings.clear();
  byId("readings").replaceChildren();
  document.body.classList.add("working");
  byId("intake").classList.remove("plate");
  byId("intake-title").textContent = "Another picture?";
  byId("work").hidden = false;
}

/** Several pictures: of each the whole, a sign with the name of its file, in the order in which they came. */
async function openSeveral(files: readonly Blob[]): Promise<void> {
  beginWork();
  picture?.close();
  picture = undefined;
  byId("desk").hidden = true;
  byId("more").hidden = true;
  byId("several").hidden = false;
  stage.reset(1, 1);
  updateCopyAll();
  const nowhere = { x: 0, y: 0, width: 1, height: 1 };
  const added = files.map((file, i) => {
    const id = i + 1;
    const remove = (): void => {
      reading.plate.element.remove();
      readings.delete(id);
      updateCopyAll();
      byId("choose").focus();
    };
    const reading: Reading = addReading(id, fileName(file) || `Picture ${id}`, nowhere, remove, file);
    byId("readings").append(reading.plate.element);
    return [id, reading] as const;
  });
  // One after another: each decoded picture takes its room only while it is read.
  for (const [id, reading] of added) {
    if (readings.get(id) === reading) {
      await read(id, reading);
    }
  }
}

async function open(file: Blob): Promise<void> {
  let opened: ImageBitmap;
  try {
    opened = await decodeImage(file);
  } catch (error) {
    showError(explain(error, fileName(file)));
    return;
  }
  beginWork();
  byId("several").hidden = true;
  picture?.close();
  picture = opened;
  URL.revokeObjectURL(pictureUrl);
  pictureUrl = URL.createObjectURL(file);
  byId<HTMLImageElement>("picture").src = pictureUrl;
  const { width, height } = opened;
  const shape = Math.max(width / height, height / width);
  if (Math.min(width, height) >= PHOTOGRAPH.side && shape <= PHOTOGRAPH.widest) {
    showDesk();
    void find(opened);
  } else {
    showWhole();
  }
}

/** One word, one sign. */
function showWhole(): void {
  const { width, height } = picture!;
  byId("readings").replaceChildren();
  byId("desk").hidden = true;
  byId("more").hidden = false;
  stage.reset(width, height);
  readings.clear();
  const reading = addReading(0, "The picture", { x: 0, y: 0, width, height });
  void read(0, reading);
}

/** A photograph, and boxes to draw on it. */
function showDesk(): void {
  const { width, height } = picture!;
  byId("readings").replaceChildren();
  byId("desk").hidden = false;
  byId("more").hidden = true;
  readings.clear();
  stage.reset(width, height);
  byId<HTMLImageElement>("picture").alt = `Your picture, ${width} by ${height} pixels`;
  updateCopyAll();
}

/** Looks for the words of a photograph, where there is something to find them with. */
async function find(image: ImageBitmap): Promise<void> {
  const wanted = (): boolean => picture === image && !byId("desk").hidden;
  const tell = (text: string): void => {
    byId("found").textContent = text;
    say(text);
  };
  tell("Looking for words …");
  try {
    const finder = await detector();
    if (finder === undefined) {
      byId("found").textContent = "";
      byId("give-detector").hidden = false;
      say("This is a photograph: draw a box around each word, or add one.");
      return;
    }
    const reader = await recognizer();
    const progress = (read: number, all: number): void => {
      byId("found").textContent = `Reading word ${read + 1} of ${all} …`;
    };
    const words = wanted() ? await findWords(image, finder, reader, progress, wanted) : undefined;
    for (const { corners, word, crop, line } of words ?? []) {
      const { id, box } = stage.addFound(corners);
      const reading = addReading(id, `Box ${id}`, box, () => stage.remove(id));
      // In reading order, below what was drawn meanwhile.
      byId("readings").append(reading.plate.element);
      Object.assign(reading, { corners, line });
      await show(id, reading, crop, word);
    }
    if (words) {
      const count = words.length === 1 ? "1 word" : `${words.length || "No"} words`;
      tell(`${count} found. Draw a box around what is missing.`);
      updateCopyAll();
    }
  } catch (error) {
    if (wanted()) {
      byId("found").textContent = "";
      showError(explain(error));
    }
  }
}

function allText(): string {
  const lines = new Map<number | Reading, string[]>();
  for (const reading of [...readings.values()].filter(({ text }) => text !== "")) {
    const key = reading.line ?? reading;
    lines.set(key, [...(lines.get(key) ?? []), reading.text]);
  }
  return [...lines.values()].map((words) => words.join(" ")).join("\n");
}

byId("give-detector").addEventListener("click", () => byId("detector-file").click());
byId<HTMLInputElement>("detector-file").addEventListener("change", ({ target }) => {
  const input = target as HTMLInputElement;
  const file = input.files?.[0];
  input.value = "";
  if (file) {
    void takeDetector(file).then(
      () => {
        clearError();
        byId("give-detector").hidden = true;
        void find(picture!);
      },
      (error: unknown) => showError(explain(error)),
    );
  }
});
prepareIntake((files) => void (files.length === 1 ? open(files[0]!) : openSeveral(files)));
prepareCamera((photograph) => void open(photograph));
byId("draw-boxes").addEventListener("click", () => {
  showDesk();
  byId("add-box").focus();
  void find(picture!);
});
byId("add-box").addEventListener("click", () => stage.add());
byId("read-whole").addEventListener("click", () => {
  stage.add(wholeOf(picture!));
});
for (const id of ["copy-all", "copy-several"]) {
  byId(id).addEventListener("click", () => void copyText(allText()));
}

recognizer().then(
  ({ metadata }) => {
    const { name = "Model", spin_tf_version: version = "", charset, max_length: longest } = metadata;
    byId("model").textContent =
      `Everything happens on this device; no picture is sent anywhere. ` +
      `${name} ${version} knows ${[...charset.characters].length} characters and words of up to ${longest}.`;
    // Not before: the first word comes before the next visit.
    void keepForOffline();
  },
  (error: unknown) => showError(explain(error)),
);

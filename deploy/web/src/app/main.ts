import { type Box, decodeImage, SpinRecognizer } from "../recognizer";
import { prepareCamera } from "./camera";
import { byId, percent } from "./dom";
import { prepareIntake } from "./intake";
import { clearError, explain, say, showError } from "./messages";
import { keepForOffline } from "./offline";
import { copyText, Plate } from "./plate";
import "./started";
import { Stage } from "./stage";

/** Larger pictures, of no word's shape, are photographs: there the reader says where the words are. */
const PHOTOGRAPH = { side: 480, widest: 2.2 };

interface Reading {
  readonly plate: Plate;
  box: Box;
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

function addReading(id: number, label: string, box: Box, remove?: () => void): Reading {
  const plate = new Plate(label, {
    again: () => void read(id, reading).then(() => plate.element.querySelector("button")?.focus()),
    ...(remove && { remove }),
  });
  const reading: Reading = { plate, box, text: "", turn: 0 };
  readings.set(id, reading);
  // The newest comes first: on a phone, right below the photograph.
  byId("readings").prepend(plate.element);
  return reading;
}

async function read(id: number, reading: Reading): Promise<void> {
  const image = picture;
  const turn = ++reading.turn;
  const { plate, box } = reading;
  if (image === undefined) {
    return;
  }
  const current = (): boolean => turn === reading.turn && readings.get(id) === reading;
  try {
    const reader = await recognizer();
    if (!current()) {
      return;
    }
    const word = await reader.read(image, { box });
    if (!current()) {
      return;
    }
    reading.text = word.text;
    plate.show(image, box, word);
    stage.label(id, word.text);
    const found = word.text === "" ? "no word found" : `${word.text}, ${percent(word.confidence)} sure`;
    say(`${plate.label}: ${found}`);
    clearError();
  } catch (error) {
    if (current()) {
      reading.text = "";
      plate.showError(error);
      showError(explain(error));
    }
  }
  updateCopyAll();
}

function updateCopyAll(): void {
  byId("copy-all").hidden = [...readings.values()].filter(({ text }) => text !== "").length < 2;
}

async function open(file: Blob): Promise<void> {
  let opened: ImageBitmap;
  try {
    opened = await decodeImage(file);
  } catch (error) {
    showError(explain(error));
    return;
  }
  clearError();
  readings.clear();
  picture?.close();
  picture = opened;
  URL.revokeObjectURL(pictureUrl);
  pictureUrl = URL.createObjectURL(file);
  byId<HTMLImageElement>("picture").src = pictureUrl;
  document.body.classList.add("working");
  byId("intake").classList.remove("plate");
  byId("intake-title").textContent = "Another picture?";
  byId("work").hidden = false;
  const { width, height } = opened;
  const shape = Math.max(width / height, height / width);
  if (Math.min(width, height) >= PHOTOGRAPH.side && shape <= PHOTOGRAPH.widest) {
    showDesk();
    say("This is a photograph: draw a box around each word, or add one.");
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

prepareIntake((file) => void open(file));
prepareCamera((photograph) => void open(photograph));
byId("draw-boxes").addEventListener("click", () => {
  showDesk();
  byId("add-box").focus();
});
byId("add-box").addEventListener("click", () => stage.add());
byId("read-whole").addEventListener("click", () => {
  stage.add({ x: 0, y: 0, width: picture!.width, height: picture!.height });
});
byId("copy-all").addEventListener("click", () => {
  void copyText([...readings.values()].flatMap(({ text }) => (text === "" ? [] : [text])).join("\n"));
});

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

/** The ways in for a picture: a file, a drop, the clipboard, an example. */
import { byId } from "./dom";
import { explain, NO_PASTE_BUTTON, NO_PICTURE, showError } from "./messages";

type Opened = (pictures: readonly Blob[]) => void;

/** @param opened gets the pictures, at least one. */
export function prepareIntake(opened: Opened): void {
  if (matchMedia("(hover: none) and (pointer: coarse)").matches) {
    cameraFirst();
  }
  const file = byId<HTMLInputElement>("file");
  byId("choose").addEventListener("click", () => file.click());
  file.addEventListener("change", () => {
    const chosen = [...(file.files ?? [])];
    // The same file may be chosen again.
    file.value = "";
    if (chosen.length > 0) {
      opened(chosen);
    }
  });
  prepareDrop(opened);
  document.addEventListener("paste", (event) => take(event.clipboardData, opened));
  byId("paste").addEventListener("click", () => void pasteByButton(opened));
  byId("example").addEventListener("click", () => void drawExample().then((picture) => opened([picture])));
}

/** What is in the hand is a camera: it comes first, for the eye and for the keys. */
function cameraFirst(): void {
  const [choose, photograph] = [byId("choose"), byId("photograph")];
  choose.before(photograph);
  choose.classList.remove("strong");
  photograph.classList.add("strong");
}

function take(data: DataTransfer | null, opened: Opened): void {
  const files = [...(data?.files ?? [])];
  const pictures = files.filter(({ type }) => type.startsWith("image/"));
  if (pictures.length > 0) {
    opened(pictures);
  } else if (files.length > 0) {
    // A file without a type may still be a picture: decoding tells.
    opened(files);
  } else {
    showError(NO_PICTURE);
  }
}

function prepareDrop(opened: Opened): void {
  const veil = byId("drop-veil");
  document.addEventListener("dragover", (event) => {
    // Without this, the browser would leave the page and show the file.
    event.preventDefault();
    veil.hidden = false;
  });
  document.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) {
      veil.hidden = true;
    }
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    veil.hidden = true;
    take(event.dataTransfer, opened);
  });
}

async function pasteByButton(opened: Opened): Promise<void> {
  if (!navigator.clipboard?.read) {
    showError(NO_PASTE_BUTTON);
    return;
  }
  try {
    for (const item of await navigator.clipboard.read()) {
      const type = item.types.find((name) => name.startsWith("image/"));
      if (type) {
        opened([await item.getType(type)]);
        return;
      }
    }
    showError(NO_PICTURE);
  } catch (error) {
    // Refused, or dismissed: the keyboard needs no permission.
    console.warn(explain(error));
    showError(NO_PASTE_BUTTON);
  }
}

/** A sign of the kind that the page is made for; drawn, so that it costs no download. */
async function drawExample(): Promise<Blob> {
  const canvas = new OffscreenCanvas(640, 210);
  const context = canvas.getContext("2d")!;
  const board = context.createLinearGradient(0, 0, 640, 210);
  board.addColorStop(0, "#2f6b4a");
  board.addColorStop(1, "#1d4631");
  context.fillStyle = board;
  context.fillRect(0, 0, 640, 210);
  context.setTransform(1, -0.045, -0.06, 1, 12, 16);
  context.font = "bold 168px Georgia, 'Liberation Serif', 'Noto Serif', serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  for (const [shift, colour] of [
    [5, "#0f2a1c"],
    [0, "#f6edd0"],
  ] as const) {
    context.fillStyle = colour;
    context.fillText("Bakery", 314 + shift, 100 + shift, 570);
  }
  return canvas.convertToBlob({ type: "image/png" });
}

/** The camera, in a dialog: one picture of what it sees. */
import { byId } from "./dom";
import { explain, NO_SECURE_CAMERA, showError } from "./messages";

const dialog = byId<HTMLDialogElement>("camera");
const viewfinder = byId<HTMLVideoElement>("viewfinder");

let stream: MediaStream | undefined;
let facing: "environment" | "user" = "environment";

/** @param taken gets the photograph. */
export function prepareCamera(taken: (photograph: Blob) => void): void {
  byId("photograph").addEventListener("click", () => void open());
  byId("close-camera").addEventListener("click", () => dialog.close());
  byId("turn-camera").addEventListener("click", () => {
    facing = facing === "environment" ? "user" : "environment";
    void start();
  });
  byId("shutter").addEventListener("click", () => {
    void shoot().then((photograph) => {
      dialog.close();
      taken(photograph);
    });
  });
  // Escape closes it too. The light of the camera goes out at once.
  dialog.addEventListener("close", stop);
}

async function open(): Promise<void> {
  if (!navigator.mediaDevices) {
    showError(NO_SECURE_CAMERA);
    return;
  }
  if (await start()) {
    dialog.showModal();
    byId("shutter").focus();
  }
}

async function start(): Promise<boolean> {
  stop();
  try {
    // Large letters need few pixels, small ones many: as much as the camera gives without waiting.
    const video = { facingMode: facing, width: { ideal: 2560 }, height: { ideal: 1440 } };
    stream = await navigator.mediaDevices.getUserMedia({ video, audio: false });
    viewfinder.srcObject = stream;
    await viewfinder.play();
    const cameras = (await navigator.mediaDevices.enumerateDevices()).filter(({ kind }) => kind === "videoinput");
    byId("turn-camera").hidden = cameras.length < 2;
    return true;
  } catch (error) {
    dialog.close();
    stop();
    showError(explain(error));
    return false;
  }
}

function stop(): void {
  for (const track of stream?.getTracks() ?? []) {
    track.stop();
  }
  stream = undefined;
  viewfinder.srcObject = null;
}

async function shoot(): Promise<Blob> {
  const canvas = new OffscreenCanvas(viewfinder.videoWidth, viewfinder.videoHeight);
  canvas.getContext("2d")!.drawImage(viewfinder, 0, 0);
  return canvas.convertToBlob({ type: "image/png" });
}

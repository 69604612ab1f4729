/** The service worker: reading without a network, and new versions when the reader wants them. */
import { byId } from "./dom";

export async function keepForOffline(): Promise<void> {
  if (!("serviceWorker" in navigator)) {
    return;
  }
  try {
    const registration = await navigator.serviceWorker.register("service_worker.js");
    registration.addEventListener("updatefound", () => watch(registration));
    offer(registration);
    await navigator.serviceWorker.ready;
    const note = byId("offline");
    note.textContent = "Kept on this device: works without a network.";
    note.hidden = false;
  } catch (error) {
    // The page works all the same, with a network: private windows and hosts without HTTPS come here.
    console.warn(error);
  }
}

function watch(registration: ServiceWorkerRegistration): void {
  registration.installing?.addEventListener("statechange", () => offer(registration));
}

/** A waiting worker beside an active one is a newer version. */
function offer(registration: ServiceWorkerRegistration): void {
  if (registration.waiting === null || registration.active === null) {
    return;
  }
  byId("update").hidden = false;
  byId("reload").onclick = () => {
    navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
    registration.waiting?.postMessage("take over");
  };
}

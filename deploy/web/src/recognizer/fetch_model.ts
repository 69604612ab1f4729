import { SpinError } from "./errors";

/** The bytes of a model, wherever it is; throws SpinError "model_missing". */
export async function fetchModel(model: string | URL | ArrayBuffer | Uint8Array): Promise<Uint8Array> {
  if (model instanceof Uint8Array) {
    return model;
  }
  if (model instanceof ArrayBuffer) {
    return new Uint8Array(model);
  }
  let response: Response;
  try {
    response = await fetch(model);
    if (response.ok) {
      return new Uint8Array(await response.arrayBuffer());
    }
  } catch (error) {
    throw new SpinError("model_missing", `The model cannot be fetched. Received: model=${model}`, error);
  }
  throw new SpinError("model_missing", `There is no such model. Received: model=${model}, status ${response.status}`);
}

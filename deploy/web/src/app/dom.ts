/** The element of the page with this id; the page and the code that runs it are written together. */
export function byId<E extends HTMLElement = HTMLElement>(id: string): E {
  const found = document.getElementById(id);
  if (found === null) {
    throw new Error(`The page has no such element. Received: id=${id}`);
  }
  return found as E;
}

/** A new element with properties and children. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Omit<Partial<HTMLElementTagNameMap[K]>, "attributes"> & {
    attributes?: Record<string, string>;
  } = {} as never,
  children: readonly (Node | string)[] = [],
): HTMLElementTagNameMap[K] {
  const { attributes = {}, ...rest } = properties;
  const element = Object.assign(document.createElement(tag), rest);
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** A probability as a reader says it: neither nothing nor certainty is ever claimed. */
export function percent(probability: number): string {
  return probability < 0.005 ? "< 1 %" : `${Math.min(99, Math.round(probability * 100))} %`;
}

/** Keeps the JSON report small, whatever a server sent. */
import type { Json } from "../wire/json.ts";
import { truncated } from "./printable.ts";

/** Shorter than this, nothing but the sign that something is missing is kept. */
const leastMax = 60;
const keyMax = 200;

/**
 * About so many characters of this value as JSON. What is left out is marked where it was: `… and 12 more` as the last item
 * or as a key, `… (5000 characters)` at the end of a text.
 */
export function shortened(value: Json, max: number): Json {
  return fit(value, max)[0];
}

/** The same value with every text truncated: what reads it by its shape still can. */
export function withShortTexts(value: Json, max: number): Json {
  if (typeof value === "string") return truncated(value, max);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item: Json) => withShortTexts(item, max));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withShortTexts(item, max)]));
}

/** The part that is kept, and its size. */
type Fitted = readonly [kept: Json, size: number];

function fit(value: Json, max: number): Fitted {
  if (typeof value === "string") return fitText(value, max);
  if (typeof value !== "object" || value === null) return [value, String(value).length];
  return Array.isArray(value) ? fitArray(value as readonly Json[], max) : fitObject(value as JsonObject, max);
}

type JsonObject = { readonly [key: string]: Json };

function fitText(text: string, max: number): Fitted {
  const size = JSON.stringify(text).length;
  if (size <= max) return [text, size];
  // Escapes make it longer in JSON.
  const characters = Math.floor((Math.max(0, max - leastMax) * text.length) / size);
  const kept = `${truncated(text, characters)} (${text.length} characters)`;
  return [kept, JSON.stringify(kept).length];
}

/** An item may take half of what is left, so that a large one leaves room for those after it. */
function fitArray(items: readonly Json[], max: number): Fitted {
  const kept: Json[] = [];
  let left = max - 2;
  for (const [at, item] of items.entries()) {
    if (left < leastMax) {
      kept.push(moreSign(items.length - at));
      break;
    }
    const [one, size] = fit(item, at === items.length - 1 ? left : left / 2);
    kept.push(one);
    left -= size + 1;
  }
  return [kept, max - left];
}

function fitObject(object: JsonObject, max: number): Fitted {
  const kept: [string, Json][] = [];
  let left = max - 2;
  const entries = Object.entries(object);
  for (const [at, [name, item]] of entries.entries()) {
    if (left < leastMax) {
      kept.push([moreSign(entries.length - at), null]);
      break;
    }
    const key = truncated(name, keyMax);
    left -= JSON.stringify(key).length + 2;
    const [one, size] = fit(item, at === entries.length - 1 ? left : left / 2);
    kept.push([key, one]);
    left -= size;
  }
  return [Object.fromEntries(kept), max - left];
}

function moreSign(count: number): string {
  return `… and ${count} more`;
}

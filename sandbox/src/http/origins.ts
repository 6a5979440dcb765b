import type { ServerResponse } from "node:http";
import type { Settings } from "../settings.ts";
import { plain, type Asking, type Reply } from "./exchange.ts";

/** Whether pages of that origin may ask; where no origins are named, all may. */
export function isWelcome(origin: string | undefined, settings: Settings): boolean {
  const allowed = settings["security.cors.allowed_origins"].split(",").filter((one) => one !== "");
  return allowed.length === 0 || allowed.includes("*") || allowed.includes(origin ?? "");
}

/** Tells a browser whether a page may read this answer, and what it may send. */
export function tellOrigin({ headers: { origin } }: Asking, settings: Settings, response: ServerResponse): void {
  response.setHeader("vary", "origin");
  if (origin === undefined || !isWelcome(origin, settings)) return;
  response.setHeader("access-control-allow-origin", origin);
  response.setHeader("access-control-allow-methods", "GET, POST");
  response.setHeader("access-control-allow-headers", "authorization, content-type");
}

/** What a browser asks before it sends what a page wants; nothing, if it is no such question. */
export function preflight({ method, headers }: Asking, settings: Settings): Reply | undefined {
  if (method !== "OPTIONS" || headers["access-control-request-method"] === undefined) return undefined;
  return isWelcome(headers.origin, settings)
    ? { status: 200 }
    : plain(400, "Origin is not allowed to make this request");
}

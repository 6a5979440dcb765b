import type { ServerResponse } from "node:http";
import type { Settings } from "../settings.ts";
import { plain, type ApiRequest, type Reply } from "./exchange.ts";

/** Whether pages of that origin may send requests; all may if no origins are configured. */
export function isAllowedOrigin(origin: string | undefined, settings: Settings): boolean {
  const allowed = settings["security.cors.allowed_origins"].split(",").filter((one) => one !== "");
  return allowed.length === 0 || allowed.includes("*") || allowed.includes(origin ?? "");
}

/** Sets the CORS headers for an allowed origin. */
export function setCorsHeaders(
  { headers: { origin } }: ApiRequest,
  settings: Settings,
  response: ServerResponse,
): void {
  response.setHeader("vary", "origin");
  if (origin === undefined || !isAllowedOrigin(origin, settings)) return;
  response.setHeader("access-control-allow-origin", origin);
  response.setHeader("access-control-allow-methods", "GET, POST");
  response.setHeader("access-control-allow-headers", "authorization, content-type");
}

/** The answer to a CORS preflight request; undefined for any other request. */
export function preflight({ method, headers }: ApiRequest, settings: Settings): Reply | undefined {
  if (method !== "OPTIONS" || headers["access-control-request-method"] === undefined) return undefined;
  return isAllowedOrigin(headers.origin, settings)
    ? { status: 200 }
    : plain(400, "Origin is not allowed to make this request");
}

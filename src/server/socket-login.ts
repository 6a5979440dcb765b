/** Logging in with the first message of a live connection. */
import { cellText, isRecord, type Json } from "../wire/json.ts";
import type { RawClose } from "../wire/wire.ts";
import type { Frame } from "./feed.ts";

export type SocketLogin =
  | { readonly kind: "in"; readonly user: string }
  /** `rate`: it was not looked at, because too many had come before. */
  | { readonly kind: "denied" | "unsure"; readonly why: string; readonly rate?: true }
  | { readonly kind: "none" };

export function authenticate(token: string, compression: string): Json {
  return { type: "authenticate", method: "jwt", token, protocol: { serialization: "json", compression } };
}

/** 0.4.3 limits the logins of an address, those on live connections included, and gives no code for it. */
const tooMany = /^too many\b/i;

export function loginOf(answer: Frame | undefined, close: RawClose | undefined): SocketLogin {
  const json = isRecord(answer?.json) ? answer.json : {};
  if (answer?.type === "auth_success") return { kind: "in", user: cellText(json["user"] ?? json["user_id"]) };
  if (answer?.type === "auth_error") {
    const why = cellText(json["message"]);
    return { kind: "denied", why, ...(tooMany.test(why) ? { rate: true } : {}) };
  }
  return { kind: "unsure", why: close === undefined ? "the login was not answered" : closeText(close) };
}

export function closeText({ code, reason }: RawClose): string {
  return `the connection was closed with ${code}${reason === "" ? "" : ` ${JSON.stringify(reason)}`}`;
}

import { createHmac, timingSafeEqual } from "node:crypto";
import type { Role } from "../store/roles.ts";

export interface Claims {
  readonly sub: string;
  readonly iss: string;
  readonly exp: number;
  readonly iat: number;
  readonly email?: string;
  readonly role: Role;
  readonly token_type: "access" | "refresh";
}

const jwtHeader = { typ: "JWT", alg: "HS256" };

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

function signature(signed: string, secret: string): string {
  return createHmac("sha256", secret).update(signed).digest("base64url");
}

export function sign(claims: Claims, secret: string): string {
  const signed = `${encode(jwtHeader)}.${encode(claims)}`;
  return `${signed}.${signature(signed, secret)}`;
}

/**
 * The claims of a token, "expired", or "invalid". Signatures are compared as text, because several base64url texts decode
 * to the same bytes. The header is checked after the signature, and must be exactly ours.
 */
export function verify(token: string, secret: string, nowSeconds: number): Claims | "expired" | "invalid" {
  const [header = "", payload = "", given = "", more] = token.split(".");
  const wanted = Buffer.from(signature(`${header}.${payload}`, secret));
  const found = Buffer.from(given);
  if (more !== undefined || wanted.length !== found.length || !timingSafeEqual(wanted, found)) return "invalid";
  if (header !== encode(jwtHeader)) return "invalid";
  const claims = JSON.parse(Buffer.from(payload, "base64url").toString()) as Claims;
  return claims.exp <= nowSeconds ? "expired" : claims;
}

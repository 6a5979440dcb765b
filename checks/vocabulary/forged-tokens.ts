/** Access tokens that nobody issued, for root: a server that accepts one lets everybody in. */
function tokenOf(alg: string, signature: string): string {
  const claims = { sub: "root", iss: "kalamdb", role: "system", exp: 4_102_444_800 };
  const parts = [JSON.stringify({ alg, typ: "JWT" }), JSON.stringify(claims), signature];
  return parts.map((part) => Buffer.from(part).toString("base64url")).join(".");
}

/** In the right form, with an invalid signature. */
export const forgedToken: string = tokenOf("HS256", "no");
/** Says that it needs no signature, and has none. */
export const unsignedToken: string = tokenOf("none", "");

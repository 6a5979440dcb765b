/**
 * Keeps secrets out of everything that leaves the process. Every password, token and value of a reference is registered
 * before anything can print it. All output goes through `redact`, but only on its way out: judges see the original.
 */
const mask = "•••";

export class Redactor {
  readonly #forms = new Set<string>();
  #pattern: RegExp | undefined;

  /** Registers a secret in all its forms: plain, URL-encoded, escaped in JSON and XML, and base64. */
  add(secret: string): void {
    // Masking one or two letters would garble every sentence and hide nothing.
    if (secret.length < 3) return;
    for (const form of formsOf(secret)) this.#forms.add(form);
    this.#pattern = undefined;
  }

  /** A copy with every string redacted; to be used before strings are truncated, wrapped or escaped. */
  redactAll<T>(value: T): T {
    const redacted = (_: string, inner: unknown): unknown => (typeof inner === "string" ? this.redact(inner) : inner);
    return this.#forms.size === 0 ? value : (JSON.parse(JSON.stringify(value), redacted) as T);
  }

  redact(text: string): string {
    if (this.#forms.size === 0) return text;
    // Longest first, so that a secret that contains another one is masked completely.
    this.#pattern ??= new RegExp(
      [...this.#forms]
        .toSorted((a, b) => b.length - a.length)
        .map(escape)
        .join("|"),
      "g",
    );
    return text.replace(this.#pattern, mask);
  }
}

function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret, "utf8");
  const inJson = JSON.stringify(secret).slice(1, -1);
  const inXml = secret.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  return [
    secret,
    encodeURIComponent(secret),
    new URLSearchParams({ secret }).toString().slice("secret=".length),
    inJson,
    // A JSON body, quoted in a JSON report.
    JSON.stringify(inJson).slice(1, -1),
    inXml,
    inXml.replaceAll('"', "&quot;").replaceAll("\n", "&#10;").replaceAll("\r", "&#13;").replaceAll("\t", "&#9;"),
    bytes.toString("base64"),
    bytes.toString("base64").replace(/=+$/, ""),
    bytes.toString("base64url"),
  ];
}

function escape(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}

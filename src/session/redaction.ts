/**
 * Keeps secrets out of everything that leaves the process. Every value that came from a reference, every password and
 * token, is registered before anything can print it; all output goes through `redact`, on the way out and never before
 * judging.
 */
const mask = "•••";

export class Redactor {
  readonly #forms = new Set<string>();
  #pattern: RegExp | undefined;

  /** Registers a secret with the forms in which it travels: as it is, URL-encoded, escaped in JSON and XML, and in base64. */
  add(secret: string): void {
    // A mask for a text of one or two letters would black out half of every sentence, and hide nothing.
    if (secret.length < 3) return;
    for (const form of formsOf(secret)) this.#forms.add(form);
    this.#pattern = undefined;
  }

  /** A copy with every text in it redacted, before anything is cut, wrapped or escaped. */
  redactAll<T>(value: T): T {
    const redacted = (_: string, inner: unknown): unknown => (typeof inner === "string" ? this.redact(inner) : inner);
    return this.#forms.size === 0 ? value : (JSON.parse(JSON.stringify(value), redacted) as T);
  }

  redact(text: string): string {
    if (this.#forms.size === 0) return text;
    // Longest first, so that a secret which contains another one is masked whole.
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
    // A body of JSON, quoted in a report of JSON.
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

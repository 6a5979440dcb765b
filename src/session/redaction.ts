/**
 * Keeps secrets out of everything that leaves the process. Every password, token and value of a reference is registered
 * before anything can print it. All output goes through `redact`, but only on its way out: judges see the original.
 *
 * Secrets are compared character by character and are never part of a pattern: a long one would make a pattern too large,
 * and its error would quote it.
 */
const mask = "•••";
/** Masking one or two letters would garble every sentence and hide nothing. */
const shortest = 3;
/** The beginning of a secret is masked from this length on, where the text ends or shows half of it. */
const beginning = 8;
/** Escapes within escapes: JSON in JSON in a URL. */
const levels = 3;

const tokenLengths = { min: 8, max: 16_384 };

/** Whether it can be sent in a header and registered as a secret: any other token is a defect of the server. */
export function plausibleToken(text: string): boolean {
  return whyNoToken(text) === undefined;
}

/** Undefined if it may be an access token. Does not quote it: it may be another secret. */
export function whyNoToken(text: string): string | undefined {
  const { min, max } = tokenLengths;
  if (text.length < min || text.length > max) {
    const count = text.length.toLocaleString("en-US");
    return `expected an access token of ${min} to ${max.toLocaleString("en-US")} characters, got ${count}`;
  }
  const at = text.search(/[^\w.~+/=-]/);
  return at === -1
    ? undefined
    : `expected an access token of letters, digits and -._~+/=; character ${at + 1} of ${text.length} is another one`;
}

export class Redactor {
  readonly #forms = new Set<string>();
  /** By the first three characters, to compare only few of them at each place of a text. */
  readonly #byStart = new Map<number, string[]>();
  /** Secrets that begin with what looks like an escape: once it is undone, their first characters are others. */
  readonly #likeEscapes: string[] = [];

  /** Registers a secret: it is masked plain, escaped for JSON, URLs, HTML and XML, in base64 and in hexadecimal. */
  add(secret: string): void {
    if (secret.length < shortest || this.#forms.has(secret)) return;
    if (nextEscape(secret, 0) < shortest) this.#likeEscapes.push(secret);
    for (const form of formsOf(secret)) {
      if (form.length < shortest || this.#forms.has(form)) continue;
      this.#forms.add(form);
      push(this.#byStart, startOf(form, 0), form);
    }
  }

  /** A copy with every string and every key redacted; to be used before strings are wrapped or escaped. */
  redactAll<T>(value: T): T {
    return this.#forms.size === 0 ? value : (this.#redacted(JSON.parse(JSON.stringify(value))) as T);
  }

  #redacted(value: unknown): unknown {
    if (typeof value === "string") return this.redact(value);
    if (Array.isArray(value)) return value.map((item: unknown) => this.#redacted(item));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [this.redact(key), this.#redacted(inner)]));
  }

  redact(text: string): string {
    if (this.#forms.size === 0) return text;
    const pieces: string[] = [];
    let copied = 0;
    let masked = 0;
    let escape = -1;
    let at = 0;
    while (at + shortest <= text.length) {
      if (escape < at) escape = nextEscape(text, at);
      const found = this.#longestAt(text, at, escape);
      if (found === undefined) {
        at += 1;
        continue;
      }
      // Overlapping secrets are masked together.
      if (at >= masked) {
        pieces.push(text.slice(copied, at), mask);
        masked = found.end;
      } else masked = Math.max(masked, found.end);
      copied = masked;
      // The beginning of one secret may contain another one.
      at = found.isWhole || found.end - at > longestOverlap ? found.end : at + 1;
    }
    return pieces.length === 0 ? text : pieces.join("") + text.slice(copied);
  }

  /** `escape`: the next place of an escape, if there is one. */
  #longestAt(text: string, at: number, escape: number): Found | undefined {
    let longest: Found | undefined;
    const take = (form: string, level: number): void => {
      const { matched, end } = compare(text, at, form, level);
      const isWhole = matched === form.length;
      if (!isWhole && !isBeginning(text, matched, end, form)) return;
      if (longest === undefined || Number(isWhole) > Number(longest.isWhole) || end > longest.end) {
        longest = { end: Math.max(end, longest?.end ?? 0), isWhole: isWhole || longest?.isWhole === true };
      }
    };
    const candidates = this.#byStart.get(startOf(text, at));
    for (const form of candidates ?? []) take(form, 0);
    if (escape === text.length) return longest;
    if (escape - at >= shortest) {
      for (const form of candidates ?? []) {
        if (escape - at < form.length) for (let level = 1; level <= levels; level += 1) take(form, level);
      }
      return longest;
    }
    for (let level = 1; level <= levels; level += 1) {
      for (const form of this.#byStart.get(startOf(firstRead(text, at, level), 0)) ?? []) take(form, level);
      for (const secret of this.#likeEscapes) take(secret, level);
    }
    return longest;
  }
}

interface Found {
  readonly end: number;
  /** False if it is only the beginning of a secret. */
  readonly isWhole: boolean;
}

const longestOverlap = 64;

function push(lists: Map<number, string[]>, key: number, item: string): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
}

function startOf(text: string, at: number): number {
  return (text.charCodeAt(at) * 961 + text.charCodeAt(at + 1) * 31 + text.charCodeAt(at + 2)) & 0xff_ffff;
}

/** The first characters at this place, without their escapes. */
function firstRead(text: string, at: number, level: number): string {
  let [start, end] = ["", at];
  while (start.length < shortest && end < text.length) {
    const [character, next] = read(text, end, level);
    start += character;
    end = next;
  }
  return start;
}

/** How many characters of the form are at this place of the text, and where they end. */
function compare(text: string, start: number, form: string, level: number): { matched: number; end: number } {
  let [matched, end] = [0, start];
  while (matched < form.length && end < text.length) {
    if (level === 0 || !isEscape(text.charCodeAt(end))) {
      if (text.charCodeAt(end) !== form.charCodeAt(matched)) break;
      matched += 1;
      end += 1;
      continue;
    }
    let next: Read | undefined;
    // The outermost reading first; a character that has a meaning for another kind of escape stands for itself.
    for (let inner = level; inner >= 0 && next === undefined; inner -= 1) {
      const one = read(text, end, inner);
      if (form.startsWith(one[0], matched)) next = one;
    }
    if (next === undefined) break;
    matched += next[0].length;
    end = next[1];
  }
  return { matched, end };
}

/** Whether so much of a secret is here, or so little before the text was truncated, that it cannot be a coincidence. */
function isBeginning(text: string, matched: number, end: number, form: string): boolean {
  if (matched < shortest) return false;
  return (matched >= beginning && 2 * matched >= form.length) || isCut(text, end, matched >= beginning);
}

/** Whether the text was truncated here, perhaps within an escape; or, where `orEnds`, ends here. */
function isCut(text: string, at: number, orEnds: boolean): boolean {
  if (at < text.length && !/[…\ufffd\\%&]/.test(text.charAt(at))) return false;
  const [cut, mark] = /^(?:[\\%&][#\w]{0,8})?\ufffd{0,3}(…?)/.exec(text.slice(at, at + 12)) ?? ["", ""];
  return mark !== "" || (orEnds && at + cut.length === text.length);
}

function isEscape(code: number): boolean {
  return code === 0x5c || code === 0x25 || code === 0x26;
}

function nextEscape(text: string, from: number): number {
  let at = from;
  while (at < text.length && !isEscape(text.charCodeAt(at))) at += 1;
  return at;
}

/** A character, and where the next one begins. */
type Read = readonly [character: string, end: number];

/** The character at this place, once this many levels of escapes are undone. */
function read(text: string, at: number, level: number): Read {
  if (level === 0 || !isEscape(text.charCodeAt(at))) return [text.charAt(at), at + 1];
  const first = read(text, at, level - 1);
  if (first[0] === "\\") return readBackslash(text, first, level - 1) ?? first;
  if (first[0] === "%") return readPercent(text, first, level - 1) ?? first;
  if (first[0] === "&") return readEntity(text, first, level - 1) ?? first;
  return first;
}

const backslashed: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", b: "\b", f: "\f" };

function readBackslash(text: string, [, start]: Read, level: number): Read | undefined {
  const [kind, end] = read(text, start, level);
  if (kind === "u" || kind === "x") {
    const digits = readHex(text, end, kind === "u" ? 4 : 2, level);
    return digits === undefined ? undefined : [String.fromCharCode(digits[0]), digits[1]];
  }
  if (/^["'/\\]$/.test(kind)) return [kind, end];
  const character = Object.hasOwn(backslashed, kind) ? backslashed[kind] : undefined;
  return character === undefined ? undefined : [character, end];
}

/** One byte, or all bytes of a character in UTF-8. */
function readPercent(text: string, [, start]: Read, level: number): Read | undefined {
  const lead = readHex(text, start, 2, level);
  if (lead === undefined) return undefined;
  if (lead[0] < 0x80) return [String.fromCharCode(lead[0]), lead[1]];
  const bytes = [lead[0]];
  let [, end] = lead;
  const length = lead[0] >= 0xf0 ? 4 : lead[0] >= 0xe0 ? 3 : 2;
  while (bytes.length < length) {
    const [sign, next] = read(text, end, level);
    const byte = sign === "%" ? readHex(text, next, 2, level) : undefined;
    if (byte === undefined) return undefined;
    bytes.push(byte[0]);
    end = byte[1];
  }
  return [Buffer.from(bytes).toString("utf8"), end];
}

const hexDigits = "0123456789abcdef";

function readHex(text: string, at: number, count: number, level: number): [number, number] | undefined {
  let [value, end] = [0, at];
  for (let n = 0; n < count; n += 1) {
    const [digit, next] = read(text, end, level);
    const place = hexDigits.indexOf(digit.toLowerCase());
    if (place === -1 || digit === "") return undefined;
    value = value * 16 + place;
    end = next;
  }
  return [value, end];
}

const entities: Readonly<Record<string, string>> = Object.fromEntries(
  "amp& lt< gt> quot\" apos' sol/ bsol\\ plus+ equals= colon: commat@ num# percnt% nbsp\u00a0 auml\u00e4 ouml\u00f6 uuml\u00fc Auml\u00c4 Ouml\u00d6 Uuml\u00dc szlig\u00df"
    .split(" ")
    .map((entry) => [entry.slice(0, -1), entry.slice(-1)]),
);

function readEntity(text: string, [, start]: Read, level: number): Read | undefined {
  let name = "";
  let end = start;
  while (name.length <= 10) {
    const [character, next] = end < text.length ? read(text, end, level) : ["", end];
    end = next;
    if (character === ";") break;
    if (!/^[\w#]$/.test(character)) return undefined;
    name += character;
  }
  const [, hex, decimal] = /^#(?:[xX]([\da-fA-F]{1,6})|(\d{1,7}))$/.exec(name) ?? [];
  const code = hex === undefined ? Number(decimal ?? Number.NaN) : Number.parseInt(hex, 16);
  if (code <= 0x10_ffff) return [String.fromCodePoint(code), end];
  const character = Object.hasOwn(entities, name) ? entities[name] : undefined;
  return character === undefined ? undefined : [character, end];
}

/** The forms without escapes that stand for themselves. */
function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret, "utf8");
  const inForm = new URLSearchParams({ secret }).toString().slice("secret=".length);
  return [
    secret,
    inForm,
    inForm.replace(/%../g, (escape) => escape.toLowerCase()),
    ...["base64", "base64url"].flatMap((encoding) => base64Of(bytes, encoding as "base64" | "base64url")),
    bytes.toString("base64").replace(/=+$/, ""),
    bytes.toString("hex"),
    bytes.toString("hex").toUpperCase(),
  ];
}

/** Base64 of it alone, and what base64 of `user:secret` has in common for a user of any length. */
function base64Of(bytes: Buffer, encoding: "base64" | "base64url"): string[] {
  const within = [0, 1, 2].map((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), bytes]).toString(encoding);
    // The first and the last character may contain bits of the neighbours.
    const from = Math.ceil((before * 8) / 6);
    return whole.slice(from, Math.floor(((before + bytes.byteLength) * 8) / 6));
  });
  return [bytes.toString(encoding), ...within.filter((part) => part.length >= beginning)];
}

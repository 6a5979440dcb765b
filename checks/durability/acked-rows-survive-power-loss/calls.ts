/** What strace printed, as calls: https://man7.org/linux/man-pages/man1/strace.1.html. */

/** A call that began, or that returned; most do both at once. A thread has one at a time. */
export type Step = { readonly thread: string; readonly call: Call; readonly is: "begun" | "returned" };

export interface Call {
  readonly name: string;
  /** As printed: `3</data/file>`, `"text"`, `[{iov_base="a", iov_len=1}]`, `O_RDWR|O_CREAT`. */
  readonly args: readonly string[];
  /** What it returned, as printed: `17`, `3</data/file>`; empty where it never did. A failed call returns `-1 ENOENT …`. */
  readonly result: string;
  /** When it returned, in milliseconds since 1970; while it has not, when it began. */
  readonly at: number;
}

/** A file descriptor as `-y` prints it. */
export interface Descriptor {
  readonly number: number;
  readonly path: string;
  readonly isDeleted: boolean;
}

const unfinished = " <unfinished ...>";
const line = /^(\d+) +(\d+\.\d+) (?:<\.\.\. \w+ resumed>(.*)|(\w+\(.*))$/s;

/** The steps in the order in which they happened. Lines that are no calls, such as signals, are left out. */
export function* stepsIn(trace: string): Generator<Step> {
  /** By thread. */
  const begun = new Map<string, { readonly text: string; readonly call: Call }>();
  for (const [, thread = "", seconds = "", rest, start] of lines(trace)) {
    const at = Number(seconds) * 1000;
    if (start?.endsWith(unfinished) === true) {
      const text = start.slice(0, -unfinished.length);
      const call = { ...parsed(text, at), result: "" };
      begun.set(thread, { text, call });
      yield { thread, call, is: "begun" };
      continue;
    }
    const before = begun.get(thread);
    begun.delete(thread);
    const call = parsed(start ?? `${before?.text ?? ""}${rest ?? ""}`, at);
    if (start !== undefined) yield { thread, call, is: "begun" };
    else if (before === undefined) continue;
    // Of a call that was not interrupted, the time is that of its beginning.
    const returnedAt = start === undefined ? at : at + tookMs(start);
    yield { thread, call: { ...call, at: returnedAt }, is: "returned" };
  }
}

function* lines(trace: string): Generator<RegExpExecArray> {
  for (let from = 0; from < trace.length;) {
    const end = trace.indexOf("\n", from);
    const to = end < 0 ? trace.length : end;
    const found = line.exec(trace.slice(from, to));
    if (found !== null) yield found;
    from = to + 1;
  }
}

function tookMs(text: string): number {
  return Number(/<(\d+\.\d+)>$/.exec(text)?.[1] ?? 0) * 1000;
}

function parsed(text: string, at: number): Call {
  const open = text.indexOf("(");
  const args: string[] = [];
  let [from, depth, end] = [open + 1, 0, text.length];
  for (let here = open + 1; here < text.length; here += 1) {
    const sign = text[here];
    if (sign === '"') here = endOfText(text, here);
    // `<` begins the path of a descriptor, in which `>` is escaped; `=>` stands between two values.
    else if (sign === "<") here = Math.max(here, text.indexOf(">", here));
    else if (sign === "[" || sign === "{" || sign === "(") depth += 1;
    else if ((sign === "]" || sign === "}" || sign === ")") && depth > 0) depth -= 1;
    else if (sign === ")") {
      end = here;
      break;
    } else if (sign === "," && depth === 0) {
      args.push(text.slice(from, here).trim());
      from = here + 1;
    }
  }
  const last = text.slice(from, end).trim();
  const result = /^\) += (.*?)(?: <\d+\.\d+>)?$/s.exec(text.slice(end))?.[1] ?? "";
  return { name: text.slice(0, open), args: last === "" ? args : [...args, last], result, at };
}

/** Where the string literal that begins here ends. */
function endOfText(text: string, from: number): number {
  for (let end = text.indexOf('"', from + 1); ; end = text.indexOf('"', end + 1)) {
    if (end < 0) return text.length;
    let first = end;
    while (text[first - 1] === "\\") first -= 1;
    if ((end - first) % 2 === 0) return end;
  }
}

const named: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, f: 12, v: 11 };

/** The bytes of an escaped text, without its quotes. */
function unescaped(text: string): Buffer {
  const bytes = Buffer.alloc(text.length);
  let length = 0;
  for (let at = 0; at < text.length; at += 1) {
    let byte = text.charCodeAt(at);
    if (text[at] === "\\") {
      at += 1;
      const octal = /^[0-7]{1,3}/.exec(text.slice(at, at + 3))?.[0];
      if (octal === undefined) byte = named[text[at] ?? ""] ?? text.charCodeAt(at);
      else {
        byte = Number.parseInt(octal, 8);
        at += octal.length - 1;
      }
    }
    bytes[length] = byte;
    length += 1;
  }
  return bytes.subarray(0, length);
}

/** The bytes of all string literals of an argument; undefined where one was cut short. */
export function bytesIn(arg: string): Buffer | undefined {
  const parts: Buffer[] = [];
  for (let at = arg.indexOf('"'); at >= 0; at = arg.indexOf('"', at + 1)) {
    const end = endOfText(arg, at);
    if (arg.startsWith("...", end + 1)) return undefined;
    parts.push(unescaped(arg.slice(at + 1, end)));
    at = end;
  }
  return Buffer.concat(parts);
}

export function pathIn(arg: string): string {
  return bytesIn(arg)?.toString() ?? "";
}

/** Undefined for what is none, such as -1. `AT_FDCWD</folder>` has the number -100. */
export function descriptorIn(arg: string): Descriptor | undefined {
  const [, number = "", place = "", deleted] = /^(\d+|AT_FDCWD)<([^>]*)>(\(deleted\))?$/s.exec(arg) ?? [];
  if (number === "") return undefined;
  const path = unescaped(place).toString();
  return { number: number === "AT_FDCWD" ? -100 : Number(number), path, isDeleted: deleted !== undefined };
}

/** What it returned as a number; undefined where it failed or did not return. */
export function returned({ result }: Call): number | undefined {
  const [text] = /^\d+/.exec(result) ?? [];
  return text === undefined ? undefined : Number(text);
}

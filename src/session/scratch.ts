/** Names of this run on the server: recognisable by their form, and told apart from other runs by the run's id. */

/** Anything may follow the run's id: a server that accepts an invalid name creates odd names with our prefix. */
const form = /^kr_([a-z][0-9][a-z][0-9][a-z])(_|$)/;

/** Five characters, letters and digits in turn: short enough to read out, and unlikely in a user's namespace. */
export function newRunId(random: () => number = Math.random): string {
  const letter = (): string => String.fromCharCode(97 + Math.floor(random() * 26));
  const digit = (): string => String(Math.floor(random() * 10));
  return letter() + digit() + letter() + digit() + letter();
}

export function prefixOf(run: string): string {
  return `kr_${run}`;
}

/** The id of the run that a name belongs to; undefined if it belongs to none. */
export function runOf(name: string): string | undefined {
  return form.exec(name)?.[1];
}

/**
 * The range of names with this prefix in byte order, for a WHERE clause: in LIKE, the underscore would be a wildcard.
 */
export function rangeOf(prefix: string): { readonly from: string; readonly to: string } {
  const last = prefix.length - 1;
  return { from: prefix, to: prefix.slice(0, last) + String.fromCharCode(prefix.charCodeAt(last) + 1) };
}

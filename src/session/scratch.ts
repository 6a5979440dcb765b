/** Names of the run's own. They can be told from anybody else's by their form, and from another run's by the run's id. */

/** After the run's id anything may follow: a server that accepts what it should refuse makes odd names of ours. */
const form = /^kr_([a-z][0-9][a-z][0-9][a-z])(_|$)/;

/** Five characters, letter and digit in turn: short enough to read out, of a form nobody picks for a namespace. */
export function newRunId(random: () => number = Math.random): string {
  const letter = (): string => String.fromCharCode(97 + Math.floor(random() * 26));
  const digit = (): string => String(Math.floor(random() * 10));
  return letter() + digit() + letter() + digit() + letter();
}

export function prefixOf(run: string): string {
  return `kr_${run}`;
}

/** The id of the run that a name belongs to; undefined for a name that no run of ours makes. */
export function runOf(name: string): string | undefined {
  return form.exec(name)?.[1];
}

/**
 * Where names of this run begin and end in byte order, for a listing that the server narrows down itself: LIKE would
 * take the underscore for a wildcard.
 */
export function rangeOf(prefix: string): { readonly from: string; readonly to: string } {
  const last = prefix.length - 1;
  return { from: prefix, to: prefix.slice(0, last) + String.fromCharCode(prefix.charCodeAt(last) + 1) };
}

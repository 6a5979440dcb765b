/** Names that CREATE NAMESPACE must reject. */
import type { Values } from "../../../src/server/target.ts";

export interface NameCase {
  readonly name: string;
  /** Builds the text from a valid name of the run's own, so that a created namespace shows which statement created it. */
  readonly text: (own: string) => string;
  /** The text does not begin with the valid name, so the context must claim it. */
  readonly claimed?: boolean;
  /** Valid where names are not limited to ASCII. */
  readonly onlyAscii?: true;
}

/**
 * None with `/`, `\\`, `..` or NUL: some servers crash on these, so they are sent only to a server that we started
 * (validation/hostile-names-harmless).
 */
export const cases: readonly NameCase[] = [
  { name: "empty", text: () => "" },
  { name: "empty in quotes", text: () => "''" },
  { name: "leading digit", text: (own) => `7${own}`, claimed: true },
  { name: "leading underscore", text: (own) => `_${own}`, claimed: true },
  { name: "hyphen", text: (own) => `${own}-x` },
  { name: "dot", text: (own) => `${own}.x` },
  { name: "emoji", text: (own) => `${own}😀`, onlyAscii: true },
  { name: "letter with an umlaut", text: (own) => `${own}ä`, onlyAscii: true },
  { name: "65 characters", text: (own) => own.padEnd(65, "x") },
  { name: "single quotes", text: (own) => `'${own}'` },
  { name: "double quotes", text: (own) => `"${own} x"` },
  { name: "trailing text", text: (own) => `${own} ns` },
  { name: "reserved word select", text: () => "select", claimed: true, onlyAscii: true },
  { name: "reserved name system", text: () => "system", claimed: true },
];

/** Those that are invalid where names follow this rule. */
export function casesFor(names: Values["names"]): readonly NameCase[] {
  return names === "ascii" ? cases : cases.filter((one) => one.onlyAscii !== true);
}

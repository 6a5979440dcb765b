/** The texts that are written, and how evidence keeps them. */
import { createHash } from "node:crypto";

/** Sizes around the threshold above which a server compresses, and far beyond it. */
export const sizes = [100, 400, 511, 512, 1_024, 4_096, 16_384, 65_536];

/** For each size a text that compresses well and one that hardly does. */
export function makeTexts(random: () => number): string[] {
  return sizes.flatMap((size) => [compressible(size), incompressible(size, random)]);
}

/** Length and the first digits of a hash: large texts do not belong in evidence. */
export function markOf(text: string): string {
  return `${text.length} characters, ${createHash("sha256").update(text).digest("hex").slice(0, 12)}`;
}

/** Whether a text is written before the subscriptions begin: of each size one, compressing well or hardly in turn. */
export function isEarly(at: number): boolean {
  return (at + Math.floor(at / 2)) % 2 === 0;
}

function compressible(size: number): string {
  return `😀 ${"Grüße, 世界! ".repeat(Math.ceil(size / 10))}`.slice(0, size);
}

function incompressible(size: number, random: () => number): string {
  const alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_äöü世界";
  return Array.from({ length: size }, () => alphabet[Math.floor(random() * alphabet.length)] ?? "").join("");
}

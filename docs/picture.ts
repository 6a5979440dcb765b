/**
 * Draws terminal output as an SVG, for the README. Supports only the styles that the table uses. A terminal of 100 columns
 * has the form of the table that is narrow enough for a page:
 * `script -qec "stty cols 100; npx kalam-ready demo --color always -q" /dev/null | node build/picture.js > docs/run.svg`
 */
import { readFileSync } from "node:fs";

const colors: Readonly<Record<string, string>> = { "31": "#f47067", "32": "#57ab5a", "33": "#c69026", "35": "#b083f0" };
const [lineHeight, characterWidth, margin] = [18, 7.25, 16];

interface Style {
  color: string | undefined;
  bold: boolean;
  dim: boolean;
}

const lines = shortened(readFileSync(0, "utf8").trimEnd().split(/\r?\n/));
const style: Style = { color: undefined, bold: false, dim: false };
const rows = lines.map(
  (line, at) => `<text x="${margin}" y="${margin + 14 + at * lineHeight}" xml:space="preserve">${spans(line)}</text>`,
);
const longest = Math.max(...lines.map((line) => line.replace(/\u001b\[[0-9;]*m/g, "").length));
const [width, height] = [Math.ceil(longest * characterWidth) + 2 * margin, lines.length * lineHeight + 2 * margin];

process.stdout.write(
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="12" fill="#adbac7">\n` +
    `<rect width="100%" height="100%" rx="8" fill="#22272e"/>\n${rows.join("\n")}\n</svg>\n`,
);

/** Keeps the first category of each run: the others look alike, and ninety rows are too many for a README. */
function shortened(all: readonly string[]): string[] {
  const kept: string[] = [];
  let categories = 0;
  let left = 0;
  for (const line of all) {
    const plain = line.replace(/\u001b\[[0-9;]*m/g, "");
    if (/^[a-z]+ · /.test(plain)) categories += 1;
    const isEnd = plain === "";
    if (plain.startsWith("kalam-ready ") && kept.length > 0) kept.push("");
    if (categories > 1 && !isEnd) left += 1;
    else {
      if (left > 0) kept.push(`\u001b[2m  … ${categories - 1} more categories\u001b[22m`);
      kept.push(line);
    }
    if (isEnd) [categories, left] = [0, 0];
  }
  return kept;
}

function spans(line: string): string {
  let drawn = "";
  // Each match is a text and the style codes that follow it.
  for (const [, text = "", codes] of line.matchAll(/([^\u001b]*)(?:\u001b\[([0-9;]*)m)?/g)) {
    if (text !== "") drawn += `<tspan${attributes()}>${escape(text)}</tspan>`;
    for (const code of codes?.split(";") ?? []) applyStyle(code);
  }
  return drawn;
}

function applyStyle(code: string): void {
  if (code === "1") style.bold = true;
  else if (code === "2") style.dim = true;
  else if (code === "22") Object.assign(style, { bold: false, dim: false });
  else if (code === "39") style.color = undefined;
  else if (code === "0" || code === "") Object.assign(style, { color: undefined, bold: false, dim: false });
  else style.color = colors[code] ?? style.color;
}

function attributes(): string {
  const fill = style.color ?? (style.dim ? "#768390" : style.bold ? "#e6edf3" : undefined);
  return `${fill === undefined ? "" : ` fill="${fill}"`}${style.bold ? ' font-weight="bold"' : ""}`;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

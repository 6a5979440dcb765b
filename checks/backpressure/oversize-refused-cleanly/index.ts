import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { isLate, whySlow } from "../../vocabulary/pace.ts";
import { boundsOf, findLimits, type Limit, type Sized } from "./looking.ts";
import { bytesMax } from "./sizes.ts";
import { parts, type Part } from "./trying.ts";

type Data = { readonly part: Part; readonly bytes: number };

const size = (bytes: number): string => `${bytes.toLocaleString("en-US")} bytes`;
const what = ({ part, bytes }: Data): string => `a ${part} of ${size(bytes)}`;

export const oversizeRefusedCleanly = defineCheck({
  id: "backpressure/oversize-refused-cleanly",
  title: "Oversized requests are refused with an error",
  failureTitle: "Oversized requests are accepted, fail or hang",
  description: `Sends statements, bodies (spaces in the JSON) and parameters of increasing size, up to ${size(bytesMax)}, and finds by halving where each begins to be refused. That size and twice as much must be refused with a status from 400 to 499, and a simple query on the same connection must be answered after each refusal. Where a setting tells a limit, nothing above it may be accepted.`,
  blindTo: `Limits above ${size(bytesMax)}, and a further limit behind the one that is met first: a body that is too long for JSON is not sent until it is too long for the server. Several long values together.`,
  risk: "A client with a bug, or an attacker, takes the server's memory, or gets an answer for a request that was cut short.",
  remedy: "Limit the size of requests in a proxy in front of the server, below the size that it refuses by itself.",
  covers: [],
  touches: "load",
  needs: ["dba"],
  level: "block",
  estimateMs: 3_000,
  estimateRequests: 50,
  timeoutMs: 180_000,
  findings: {
    accepted: {
      say: (d: Data & { why: string }) => `${what(d)} was accepted, although ${d.why}`,
    },
    serverError: {
      say: (d: Data & { outcome: string }) => `${what(d)} got ${d.outcome}, twice`,
      risk: "A client cannot tell a request that is too long from a defect of the server, and sends it again.",
    },
    hung: {
      say: (d: Data & { waitedMs: number; controlMs: number }) =>
        `${what(d)} got no answer within ${d.waitedMs} ms, twice; by the largest that was accepted, as much takes ${d.controlMs} ms`,
      risk: "A client that sends too much waits until it times out, and its connections pile up on the server.",
      timed: true,
    },
    cutOff: {
      say: (d: Data & { outcome: string }) =>
        `${what(d)} ended the connection without an answer (${d.outcome}), also when the client paused while it sent`,
      level: "warn",
      risk: "A client that sends too much sees a network error instead of a reason, and sends it again.",
      remedy: "Check the length of requests in the client, before they are sent.",
    },
    spoiltNext: {
      say: (d: Data & { outcome: string }) =>
        `after ${what(d)} was refused, a simple query on the same connection got ${d.outcome}, twice`,
      risk: "What is left of a refused request is taken for the next one: other requests of a proxy's connection fail.",
      remedy: "Let clients and proxies open a new connection after a refusal with 400 or 413.",
    },
  },
  observe: findLimits,
  judge({ limits, direct }, { found }) {
    for (const { part, tries, told } of limits) {
      const { refused } = boundsOf(tries);
      for (const one of tries) {
        const { bytes, text, kind, next, pace } = one;
        const data = { part, bytes };
        const about = { case: part, sent: one };
        if (kind === "truncated") found.accepted({ ...data, why: `only a part of it was read (${text})` }, about);
        if (kind === "failed") found.serverError({ ...data, outcome: text }, about);
        if (kind === "cut" && next?.kind === "gone")
          found.serverError({ ...data, outcome: `${text}, and then no query was answered (${next.text})` }, about);
        if (kind === "cut" && next?.kind === "fine" && direct) found.cutOff({ ...data, outcome: text }, about);
        if (kind === "silent" && next?.kind === "fine" && isLate(pace))
          found.hung({ ...data, waitedMs: pace.waitedMs, controlMs: pace.controlMs ?? 0 }, about);
        if (kind === "refused" && next?.kind === "spoilt") found.spoiltNext({ ...data, outcome: next.text }, about);
      }
      const accepted = tries.filter(({ kind }) => kind === "accepted").toSorted((a, b) => b.bytes - a.bytes);
      const [largest] = accepted;
      if (largest === undefined) continue;
      const data = { part, bytes: largest.bytes };
      if (told !== null && largest.bytes > told)
        found.accepted({ ...data, why: `the server's settings tell a limit of ${size(told)}` }, shown(largest));
      else if (accepted.filter(({ bytes }) => bytes > refused).length > 1 && isRefusedTwice(tries, refused))
        found.accepted({ ...data, why: `${size(refused)} are refused` }, shown(largest));
    }
    for (const part of parts) {
      const limit = limits.find((one) => one.part === part);
      const why = limit === undefined ? "it was not tried" : whyUnknown(limit);
      if (why !== undefined) return unknown(`${part}: ${why}`);
    }
    const all = limits.flatMap(({ tries }) => tries);
    const refusals = all.filter(({ kind }) => kind === "refused");
    const hasty = refusals.filter((one) => one.hasty !== null);
    const early =
      hasty.length === 0
        ? ""
        : `, ${hasty.length} of them early: a client that goes on sending may see only ${hasty[0]?.hasty ?? ""}`;
    return pass(
      `${limits.map(passText).join("; ")}; ${refusals.length} of ${all.length} requests refused within ${Math.max(...refusals.map(({ tookMs }) => tookMs))} ms${early}, a simple query answered after each`,
    );
  },
});

function shown(one: Sized): { case: Part; sent: Sized } {
  return { case: one.part, sent: one };
}

function isRefusedTwice(tries: readonly Sized[], bytes: number): boolean {
  return tries.filter((one) => one.bytes === bytes && one.kind === "refused").length > 1;
}

function whyUnknown({ tries }: Limit): string | undefined {
  const odd = tries.find(({ kind }) => kind !== "accepted" && kind !== "refused");
  if (odd !== undefined) {
    const because = odd.kind === "silent" ? `no answer; ${whySlow(odd.pace)}` : odd.text;
    return `${size(odd.bytes)}: ${because}`;
  }
  const next = tries.find((one) => one.next !== null && one.next.kind !== "fine");
  if (next !== undefined) return `after ${size(next.bytes)} a simple query got ${next.next?.text ?? ""}`;
  const { accepted, refused } = boundsOf(tries);
  if (accepted === 0) return `even ${size(Math.min(...tries.map(({ bytes }) => bytes)))} were not accepted`;
  if (refused === Infinity) return `no limit was met up to ${size(accepted)}`;
  const above = tries.filter(({ bytes }) => bytes >= 2 * refused);
  if (above.length === 0) return `twice the limit (${size(refused)}) was not tried`;
  return above.some(({ kind }) => kind === "accepted") ? `sometimes refused and sometimes accepted` : undefined;
}

function passText({ part, tries, told }: Limit): string {
  const { accepted, refused } = boundsOf(tries);
  const first = tries.find(({ bytes, kind }) => bytes === refused && kind === "refused");
  const server = first?.by ?? "";
  const by = server === "" ? "" : ` by ${server}`;
  const setting = told === null ? "" : `, the settings tell ${told.toLocaleString("en-US")}`;
  return `a ${part} of ${size(accepted)} is accepted, one of ${refused.toLocaleString("en-US")} refused with ${first?.text ?? ""}${by}${setting}`;
}

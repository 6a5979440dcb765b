/**
 * `npm run bench -- hostile`: what answers of a hostile server cost a run of the command line, in time and memory. The server
 * passes requests on to a sandbox until the run is logged in, and then answers as the case wants.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, request as send, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { WebSocketServer, type WebSocket } from "ws";
import { startSandbox } from "../src/commands/sandbox.ts";
import type { OwnServer } from "../src/control/process.ts";
import { packageFolder } from "../src/package.ts";
import { print } from "./print.ts";

const bin = path.join(packageFolder, "bin", "kalam-ready.js");
const budgetSeconds = 15;
const secondsMax = budgetSeconds + 15;
const mebibytesMax = 300;
const mebibyte = 1024 * 1024;
/** Requests that the sandbox answers: login, settings, the first namespaces. */
const honest = 12;

interface Case {
  readonly name: string;
  readonly only: readonly string[];
  /** Answers a request, from the first one on where `atOnce`. */
  readonly answer?: (response: ServerResponse) => void;
  readonly atOnce?: true;
  /** Sends frames on a connection that believes to be logged in, as long as it reads. */
  readonly frame?: string | Buffer;
}

const http = ["--only", "configuration", "--only", "validation"];
const live = ["--only", "subscriptions"];
const deep = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
const result = (cells: string): string =>
  `{"status":"success","took":1,"results":[{"row_count":1,"schema":[{"name":"a","data_type":"Text"}],"rows":[[${cells}]]}]}`;
const json =
  (body: string, status = 200) =>
  (response: ServerResponse): void =>
    void response.writeHead(status, { "content-type": "application/json" }).end(body);
const change = (rows: string): string =>
  `{"type":"change","subscription_id":"q1","change_type":"insert","rows":${rows}}`;

function endless(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "application/json" });
  const chunk = Buffer.alloc(mebibyte, '{"a":1},');
  const more = (): void => {
    while (!response.destroyed && response.write(chunk));
    if (!response.destroyed) response.once("drain", more);
  };
  response.write('{"status":"success","results":[');
  more();
}

const objects = (bytes: number): string => `[${"{},".repeat(Math.floor(bytes / 3))}{}]`;
const bomb = gzipSync(change(objects(60 * mebibyte)));

const cases: readonly Case[] = [
  { name: "answer nested 100,000 deep", only: http, answer: json(deep(100_000)) },
  { name: "cell nested 100,000 deep", only: http, answer: json(result(deep(100_000))) },
  { name: "error nested 100,000 deep", only: http, answer: json(`{"status":"error","error":{"code":"X","message":${deep(100_000)}}}`, 400) }, // prettier-ignore
  { name: "endless body", only: http, answer: endless },
  { name: "endless body before the login", only: http, answer: endless, atOnce: true },
  { name: "8 MB string without an end, in a cell", only: http, answer: json(result(`"${"\\u0041'".repeat(mebibyte)}`)) }, // prettier-ignore
  { name: "the same before the login", only: http, answer: json(`{"needs_setup":"${"a'\\\\".repeat(2 * mebibyte)}`), atOnce: true }, // prettier-ignore
  { name: "7 MB of {} in a cell", only: http, answer: json(result(objects(7 * mebibyte))) },
  { name: "error text of 7 MB", only: http, answer: json(`{"status":"error","error":{"code":"X","message":"${"'é\\n".repeat(mebibyte)}"}}`, 400) }, // prettier-ignore
  { name: `gzip frames: ${Math.round(bomb.byteLength / 1024)} KB, 60 MB of {}`, only: live, frame: bomb },
  { name: "gzip frames: 4 MB of {}", only: live, frame: gzipSync(change(objects(4 * mebibyte - 200))) },
  { name: "frames nested 100,000 deep", only: live, frame: change(deep(100_000)) },
  { name: "frames of 3 MB of {}", only: live, frame: change(objects(3 * mebibyte)) },
  { name: "small frames without an end", only: live, frame: change('[{"id":"1"}]') },
];

/** Sets the process's exit code to 1 if a case is beyond the limits, green, or an internal error. */
export async function measureHostile(): Promise<void> {
  const sandbox = await startSandbox();
  try {
    for (const one of cases) {
      const { exit, seconds, mebibytes } = await against(sandbox, one);
      const isBounded = seconds <= secondsMax && mebibytes < mebibytesMax && exit !== "0" && exit !== "70";
      if (!isBounded) process.exitCode = 1;
      print(
        one.name,
        `exit ${exit}, ${seconds.toFixed(1)} s, ${mebibytes.toFixed(0)} MiB at most${isBounded ? "" : "  BEYOND THE LIMITS"}`,
        `goal: ≤ ${secondsMax} s, < ${mebibytesMax} MiB, neither 0 nor 70`,
      );
    }
  } finally {
    await sandbox.stop();
  }
}

async function against(
  sandbox: OwnServer,
  one: Case,
): Promise<{ readonly exit: string; readonly seconds: number; readonly mebibytes: number }> {
  let asked = 0;
  const server = createServer((request, response) => {
    asked += 1;
    if (one.answer === undefined || (one.atOnce !== true && asked <= honest)) passOn(sandbox, request, response);
    else {
      request.resume();
      one.answer(response);
    }
  });
  const sockets = new WebSocketServer({ server, path: "/v1/ws", perMessageDeflate: false });
  sockets.on("connection", (socket) => flood(socket, one.frame ?? ""));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const state = mkdtempSync(path.join(tmpdir(), "kalam-ready-hostile-"));
  try {
    const { port } = server.address() as AddressInfo;
    return await watched(["check", "--effort", "light", "--budget", `${budgetSeconds}s`, ...one.only], {
      KALAM_READY_URL: `http://127.0.0.1:${port}`,
      KALAM_READY_USER: "root",
      KALAM_READY_PASSWORD: sandbox.rootPassword,
      KALAM_READY_STATE: state,
    });
  } finally {
    for (const socket of sockets.clients) socket.terminate();
    server.close();
    server.closeAllConnections();
    rmSync(state, { recursive: true, force: true });
  }
}

function passOn(sandbox: OwnServer, request: IncomingMessage, response: ServerResponse): void {
  const { method, headers, url = "/" } = request;
  const onward = send(new URL(url, sandbox.url), { method, headers, agent: false }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  onward.on("error", () => response.destroy());
  request.pipe(onward);
}

/** Accepts the login, and sends the frame again and again as soon as it is read. */
function flood(socket: WebSocket, frame: string | Buffer): void {
  const next = (): void => {
    if (socket.readyState !== socket.OPEN) return;
    socket.send(frame, (error) => {
      if (error === undefined || error === null) setImmediate(next);
    });
  };
  socket.on("error", () => socket.terminate());
  socket.once("message", () => {
    socket.send(JSON.stringify({ type: "auth_success", user_id: "root", role: "system" }));
    next();
  });
}

async function watched(
  words: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ readonly exit: string; readonly seconds: number; readonly mebibytes: number }> {
  const startedAt = performance.now();
  return await new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [bin, ...words], {
      stdio: "ignore",
      env: { PATH: process.env["PATH"] ?? "", ...env },
    });
    let kibibytes = 0;
    const timer = setInterval(() => {
      kibibytes = Math.max(kibibytes, peakOf(child.pid ?? 0));
      // Without an end it would never be told.
      if (performance.now() - startedAt > 4_000 * secondsMax) child.kill("SIGKILL");
    }, 50);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearInterval(timer);
      resolve({
        exit: signal ?? String(code),
        seconds: (performance.now() - startedAt) / 1000,
        mebibytes: kibibytes / 1024,
      });
    });
  });
}

/** The most memory that the process has had so far, in KiB; 0 where Linux does not tell. */
function peakOf(pid: number): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

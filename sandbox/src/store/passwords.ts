import { randomBytes, scryptSync, timingSafeEqual } from "node:crypto";

const hashBytes = 32;
/** scrypt needs 1 KiB per unit of work, so a higher cost would exceed the memory. */
const costMax = 17;
const memoryBytesMax = 256 * 1024 * 1024;

/** The cost is bcrypt's: one more doubles the work. */
export function hash(password: string, cost: number): string {
  const salt = randomBytes(16);
  return ["$scrypt", cost, salt.toString("base64url"), derive(password, salt, cost).toString("base64url")].join("$");
}

/** Takes as long when nothing is stored, so that timing does not reveal whether an account exists. */
export function matches(password: string, stored: string, usualCost: number): boolean {
  const [, , cost = usualCost, salt = "", expected = ""] = stored.split("$");
  const wanted = Buffer.from(expected, "base64url");
  const derived = derive(password, Buffer.from(salt, "base64url"), Number(cost));
  return wanted.length === hashBytes && timingSafeEqual(derived, wanted);
}

function derive(password: string, salt: Buffer, cost: number): Buffer {
  return scryptSync(password, salt, hashBytes, { N: 2 ** Math.min(cost, costMax), r: 8, p: 1, maxmem: memoryBytesMax });
}

/** What is wrong with a new password; undefined if nothing. */
export function passwordProblem(password: string, shortest: number): string | undefined {
  return password.length < shortest
    ? `Weak password: Password must be at least ${shortest} characters (weak)`
    : undefined;
}

/** Certificates for tests, made on the spot: no key is committed, and each test says what is wrong with its certificate. */
import { generateKeyPairSync, randomBytes, sign, type KeyObject } from "node:crypto";
import { isIPv4 } from "node:net";

export interface Certificate {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
}

export interface CertificateOptions {
  /** Host names and IPv4 addresses. */
  readonly names?: readonly string[];
  /** `YYMMDD`; the year is from 1950 to 2049. */
  readonly from?: string;
  readonly until?: string;
}

export interface Authority extends Certificate {
  issue(options?: CertificateOptions): Certificate;
}

const sequence = 0x30;
const ecdsaWithSha256 = der(sequence, Buffer.from("06082a8648ce3d040302", "hex"));

/** A CA of its own. */
export function authority(commonName = "Test CA"): Authority {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const issuer = nameOf(commonName);
  const isCa = extension("551d13", der(sequence, der(1, Buffer.from([0xff]))));
  const itself = certificate({ issuer, subject: issuer, key: publicKey, signer: privateKey, extensions: [isCa] });
  return { cert: itself, key: pem(privateKey), issue: (options) => issue(options, { issuer, signer: privateKey }) };
}

/** Signed by itself. */
export function selfSigned(options: CertificateOptions = {}): Certificate {
  return issue(options);
}

function issue(
  { names = ["localhost", "127.0.0.1"], ...validity }: CertificateOptions = {},
  by?: { readonly issuer: Buffer; readonly signer: KeyObject },
): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const subject = nameOf(names[0] ?? "nameless");
  const { issuer, signer } = by ?? { issuer: subject, signer: privateKey };
  const alternatives = names.map((name) =>
    isIPv4(name) ? der(0x87, Buffer.from(name.split(".").map(Number))) : der(0x82, Buffer.from(name)),
  );
  const extensions = [extension("551d11", der(sequence, ...alternatives))];
  return {
    cert: certificate({ issuer, subject, key: publicKey, signer, extensions, ...validity }),
    key: pem(privateKey),
  };
}

interface Parts extends Omit<CertificateOptions, "names"> {
  readonly issuer: Buffer;
  readonly subject: Buffer;
  readonly key: KeyObject;
  readonly signer: KeyObject;
  readonly extensions: readonly Buffer[];
}

function certificate({ issuer, subject, key, signer, extensions, from = "200101", until = "491231" }: Parts): string {
  const day = (yymmdd: string): Buffer => der(0x17, Buffer.from(`${yymmdd}000000Z`));
  const body = der(
    sequence,
    // Version 3, for the extensions.
    der(0xa0, der(2, Buffer.from([2]))),
    der(2, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ecdsaWithSha256,
    issuer,
    der(sequence, day(from), day(until)),
    subject,
    key.export({ type: "spki", format: "der" }),
    der(0xa3, der(sequence, ...extensions)),
  );
  const signature = der(3, Buffer.from([0]), sign("sha256", body, signer));
  const base64 = der(sequence, body, ecdsaWithSha256, signature).toString("base64");
  return `-----BEGIN CERTIFICATE-----\n${base64.replace(/.{1,64}/g, "$&\n")}-----END CERTIFICATE-----\n`;
}

function nameOf(commonName: string): Buffer {
  return der(sequence, der(0x31, der(sequence, Buffer.from("0603550403", "hex"), der(0x0c, Buffer.from(commonName)))));
}

function extension(id: string, value: Buffer): Buffer {
  return der(sequence, der(6, Buffer.from(id, "hex")), der(4, value));
}

function der(tag: number, ...parts: Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const length =
    body.length < 128
      ? [body.length]
      : body.length < 256
        ? [0x81, body.length]
        : [0x82, body.length >> 8, body.length & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

function pem(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}

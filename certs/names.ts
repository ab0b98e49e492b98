import type { X509Certificate } from "node:crypto";
import { isIPv4, isIPv6 } from "node:net";

const NAME = /^[\w.*-]{1,253}$/;

/** What a serving certificate is good for. */
export interface Names {
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
}

/**
 * The one spelling of an IP address. IPv6 comes out compressed and in hexadecimal, as node-forge wants it.
 *
 * @throws Error if the text is no IP address, or one with a zone.
 */
export function canonicalAddress(text: string): string {
  if (isIPv4(text)) return text;
  if (isIPv6(text) && !text.includes("%")) return new URL(`http://[${text}]/`).hostname.slice(1, -1);
  throw new Error(`"${text}" is not an IP address: write one such as 10.0.0.1 or fd00::1, without port or zone`);
}

/**
 * The names in one spelling, each once.
 *
 * @throws Error if there is none, or one that no certificate can hold.
 */
export function canonicalNames({ dnsNames, ipAddresses }: Names): Names {
  for (const name of dnsNames) {
    if (!NAME.test(name)) throw new Error(`"${name}" is not a DNS name: write one such as localhost`);
  }
  if (dnsNames.length + ipAddresses.length === 0) {
    throw new Error("a serving certificate needs a DNS name or an IP address: give at least one");
  }
  return {
    dnsNames: [...new Set(dnsNames.map((name) => name.toLowerCase()))],
    ipAddresses: [...new Set(ipAddresses.map(canonicalAddress))],
  };
}

/** Whether a certificate's alternative names are exactly the wanted ones, in any order. */
export function hasNames(certificate: X509Certificate, wanted: Names): boolean {
  const { dnsNames, ipAddresses } = canonicalNames(wanted);
  const expected = [...dnsNames.map((name) => `DNS:${name}`), ...ipAddresses.map((address) => `IP Address:${address}`)];
  const found = entriesOf(certificate);
  return new Set(found).size === expected.length && expected.every((entry) => found.includes(entry));
}

/** The wanted names, and those that a certificate has beside them. */
export function withNamesOf(certificate: X509Certificate, { dnsNames, ipAddresses }: Names): Names {
  const found = entriesOf(certificate);
  const after = (kind: string) =>
    found.filter((entry) => entry.startsWith(kind)).map((entry) => entry.slice(kind.length));
  return canonicalNames({
    dnsNames: [...dnsNames, ...after("DNS:").filter((name) => NAME.test(name))],
    ipAddresses: [...ipAddresses, ...after("IP Address:").filter((address) => isIPv4(address) || isIPv6(address))],
  });
}

/** Its alternative names as Node writes them, in the one spelling. */
const entriesOf = ({ subjectAltName = "" }: X509Certificate): readonly string[] =>
  subjectAltName.split(", ").map((entry) => {
    const [, address] = /^IP Address:([0-9A-Fa-f.:]+)$/.exec(entry) ?? [];
    return address === undefined ? entry.replace(/^DNS:.*/, lower) : `IP Address:${canonicalAddress(address)}`;
  });

const lower = (entry: string) => `DNS:${entry.slice(4).toLowerCase()}`;

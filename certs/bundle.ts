// Base64 has no dash, so a block that was cut short does not swallow the next.
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The PEM blocks of a CA bundle, in order; whatever stands between them is left out. */
export const certificatesIn = (text: string): readonly string[] => text.match(CERTIFICATE) ?? [];

/** A CA bundle of PEM blocks. */
export const bundleOf = (certificates: readonly string[]): string =>
  `${certificates.map((certificate) => certificate.trim()).join("\n")}\n`;

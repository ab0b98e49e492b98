interface Entry {
  readonly sentence: string;
  /** Expected in the course of time; anything else is a mend and is logged as a warning. */
  readonly routine?: true;
}

/** The catalogue of why a certificate is made or taken away. */
export const REASONS = {
  "no-ca": { sentence: "there is no CA", routine: true },
  "ca-aging": { sentence: "the newest CA is past two thirds of its life", routine: true },
  "ca-unreadable": { sentence: "a CA's certificate cannot be read" },
  "ca-not-a-root": { sentence: "a certificate among the CAs is not a root CA's" },
  "ca-expired": { sentence: "a CA has expired" },
  "ca-not-yet-valid": { sentence: "the newest CA is not valid yet: this machine's clock was, or is, off" },
  "ca-key-missing": { sentence: "the newest CA's key is missing" },
  "ca-key-unusable": { sentence: "the newest CA's key cannot be read, is not its own, or is not RSA" },
  "ca-unused": { sentence: "an older CA has signed nothing that is still served", routine: true },
  "leaf-missing": { sentence: "there is no serving certificate", routine: true },
  "leaf-aging": { sentence: "the serving certificate is past two thirds of its life", routine: true },
  "leaf-older-ca": { sentence: "the serving certificate is an older CA's", routine: true },
  "leaf-names": { sentence: "the serving certificate's names are not the wanted ones", routine: true },
  "leaf-untrusted": { sentence: "no CA in the bundle has signed the serving certificate" },
  "leaf-certificate-unreadable": { sentence: "the serving certificate cannot be read" },
  "leaf-key-unreadable": { sentence: "the serving certificate's key cannot be read" },
  "leaf-mismatch": { sentence: "the serving certificate and its key do not belong together" },
  "leaf-expired": { sentence: "the serving certificate has expired" },
  "leaf-not-yet-valid": {
    sentence: "the serving certificate is not valid yet: this machine's clock was, or is, off",
  },
  "leaf-refused": { sentence: "TLS refuses the serving certificate" },
  "content-lost": { sentence: "what is in force was missing there or spoiled, and is put back" },
  "bundle-text": { sentence: "the CA bundle held text that is no certificate" },
} as const satisfies Record<string, Entry>;

export type Reason = keyof typeof REASONS;

/** The entry of a reason, with every field that an entry may have. */
export const entryOf = (reason: Reason): Entry => REASONS[reason];

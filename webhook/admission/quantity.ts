/**
 * Kubernetes quantities, exactly: a count of nano units.
 * Source: k8s.io/apimachinery/pkg/api/resource, whose canonical form is what the API server writes.
 */
const NANO_EXPONENT = 9;
const DECIMAL: readonly string[] = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
const BINARY: readonly string[] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const UNIT = 10n ** BigInt(NANO_EXPONENT);

export interface Quantity {
  readonly nanos: bigint;
  /** Whether it was written in powers of 1024. */
  readonly binary: boolean;
}

/** Undefined for what is no quantity. What is finer than a nano unit is rounded up, as Kubernetes does. */
export function parseQuantity(text: string | number): Quantity | undefined {
  const match = /^([+-]?)([0-9]{0,40})(?:\.([0-9]{0,40}))?(?:([eE][+-]?[0-9]{1,2})|([numkMGTPE]|[KMGTPE]i))?$/.exec(
    `${text}`,
  );
  if (!match) return undefined;
  const [, sign, whole = "", fraction = "", exponent, suffix = ""] = match;
  if (whole === "" && fraction === "") return undefined;
  const binary = suffix.endsWith("i");
  const digits = BigInt(whole + fraction);
  const tens =
    NANO_EXPONENT - fraction.length + (binary ? 0 : exponent ? Number(exponent.slice(1)) : decimalExponent(suffix));
  const factor = binary ? 1024n ** BigInt(BINARY.indexOf(suffix)) : 1n;
  const magnitude = tens >= 0 ? digits * factor * 10n ** BigInt(tens) : divideUp(digits * factor, 10n ** BigInt(-tens));
  return { nanos: sign === "-" ? -magnitude : magnitude, binary };
}

/** The quantity times a factor (three decimals count), in canonical form. */
export function scaleQuantity({ nanos, binary }: Quantity, factor: number): string {
  return formatQuantity({ nanos: divideUp(nanos * BigInt(Math.round(factor * 1000)), 1000n), binary });
}

/** Canonical: no fraction, the largest suffix that loses nothing; fractions of a byte are rounded up. */
export function formatQuantity({ nanos, binary }: Quantity): string {
  if (binary && nanos >= 1024n * UNIT) return withSuffix(divideUp(nanos, UNIT), 1024n, BINARY);
  return withSuffix(nanos, 1000n, DECIMAL);
}

function withSuffix(amount: bigint, step: bigint, suffixes: readonly string[]): string {
  if (amount === 0n) return "0";
  let rest = amount;
  let place = 0;
  while (place < suffixes.length - 1 && rest % step === 0n) {
    rest /= step;
    place += 1;
  }
  return `${rest}${suffixes[place]}`;
}

function decimalExponent(suffix: string): number {
  return 3 * DECIMAL.indexOf(suffix) - NANO_EXPONENT;
}

function divideUp(amount: bigint, by: bigint): bigint {
  const whole = amount / by;
  return whole * by < amount ? whole + 1n : whole;
}

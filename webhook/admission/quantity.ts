/**
 * Kubernetes quantities, exactly: a count of nano units.
 * Source: k8s.io/apimachinery/pkg/api/resource, whose canonical form is what the API server writes.
 */
const DECIMAL: readonly string[] = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
const BINARY: readonly string[] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
/** One whole unit, in nano units. */
const UNIT = 1_000_000_000n;
const MILLI = UNIT / 1000n;

export interface Quantity {
  readonly nanos: bigint;
  /** Whether it was written in powers of 1024. */
  readonly binary: boolean;
}

/** Nano units by suffix. */
const MULTIPLIERS: ReadonlyMap<string, bigint> = new Map([
  ...DECIMAL.map((suffix, index): [string, bigint] => [suffix, 1000n ** BigInt(index)]),
  ...BINARY.slice(1).map((suffix, index): [string, bigint] => [suffix, 1024n ** BigInt(index + 1) * UNIT]),
]);

/** The same few quantities stand in all pods; remembering them takes most of a decision's time away. */
const remembered = new Map<string, Quantity>();
const MAX_REMEMBERED = 256;
const MAX_LENGTH = 16;

/** Undefined for what is no quantity. What is finer than a nano unit is rounded up, as Kubernetes does. */
export function parseQuantity(written: string | number): Quantity | undefined {
  const text = `${written}`;
  const known = remembered.get(text);
  if (known) return known;
  const quantity = read(text);
  if (quantity && text.length <= MAX_LENGTH) {
    if (remembered.size >= MAX_REMEMBERED) remembered.clear();
    remembered.set(text, quantity);
  }
  return quantity;
}

const FORM = /^([+-]?)([0-9]{0,40})(?:\.([0-9]{0,40}))?(?:[eE]([+-]?[0-9]{1,2})|([numkMGTPE]|[KMGTPE]i))?$/;

function read(text: string): Quantity | undefined {
  const match = FORM.exec(text);
  if (!match) return undefined;
  const [, sign, whole = "", fraction = "", exponent = "0", suffix = ""] = match;
  if (whole === "" && fraction === "") return undefined;
  const tens = Number(exponent) - fraction.length;
  const units = BigInt(whole + fraction) * (MULTIPLIERS.get(suffix) ?? 0n);
  const magnitude = tens >= 0 ? units * 10n ** BigInt(tens) : divideUp(units, 10n ** BigInt(-tens));
  return { nanos: sign === "-" ? -magnitude : magnitude, binary: suffix.endsWith("i") };
}

/** The quantity times a factor (three decimals count), in canonical form. */
export function scaleQuantity({ nanos, binary }: Quantity, factor: number): string {
  return formatQuantity({ nanos: divideUp(nanos * BigInt(Math.round(factor * 1000)), 1000n), binary });
}

/**
 * Canonical: no fraction, the largest suffix that loses nothing. Rounded up to a thousandth, as the API server does
 * with every resource, and to a whole one where powers of 1024 are used: a fraction of a byte is not accepted.
 */
export function formatQuantity({ nanos, binary }: Quantity): string {
  const inBytes = binary && nanos >= 1024n * UNIT;
  const step = inBytes ? UNIT : MILLI;
  const amount = divideUp(nanos, step) * step;
  // What is no multiple of 1024 reads as a decimal number, and so is written as one: 160000 is 160k.
  return inBytes && amount % (1024n * UNIT) === 0n
    ? withSuffix(amount / UNIT, 1024n, BINARY)
    : withSuffix(amount, 1000n, DECIMAL);
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

function divideUp(amount: bigint, by: bigint): bigint {
  const whole = amount / by;
  return whole * by < amount ? whole + 1n : whole;
}

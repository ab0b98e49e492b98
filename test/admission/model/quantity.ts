/**
 * A second reading of Kubernetes' quantities, written from the description in k8s.io/apimachinery/pkg/api/resource and
 * not from ours, to hold ours against. Slow and plain: an amount is a count of nano units.
 */
const POWERS: Readonly<Record<string, readonly [base: bigint, exponent: bigint]>> = {
  k: [1000n, 1n],
  M: [1000n, 2n],
  G: [1000n, 3n],
  T: [1000n, 4n],
  P: [1000n, 5n],
  E: [1000n, 6n],
  Ki: [1024n, 1n],
  Mi: [1024n, 2n],
  Gi: [1024n, 3n],
  Ti: [1024n, 4n],
  Pi: [1024n, 5n],
  Ei: [1024n, 6n],
};
const FRACTIONS: Readonly<Record<string, bigint>> = { "": 1n, m: 1000n, u: 1_000_000n, n: 1_000_000_000n };
const NANO = 1_000_000_000n;

/** Of text that is a quantity for certain. */
export function nanos(written: string | number): bigint {
  const text = String(written);
  const exponent = /[eE]([+-]?\d+)$/.exec(text);
  if (exponent) {
    const power = Number(exponent[1]);
    const mantissa = nanos(text.slice(0, exponent.index));
    return power >= 0 ? mantissa * 10n ** BigInt(power) : up(mantissa, 10n ** BigInt(-power));
  }
  const suffix = text.replace(/^[+-]?[\d.]+/, "");
  const [whole = "0", fraction = ""] = text.slice(0, text.length - suffix.length).split(".");
  const scaled = BigInt(whole + fraction || "0") * NANO;
  const [base, power] = POWERS[suffix] ?? [1n, 0n];
  return up(scaled * base ** power, 10n ** BigInt(fraction.length) * (FRACTIONS[suffix] ?? 1n));
}

/** As the API server writes a resource: rounded up to thousandths, without a fraction, with the largest suffix. */
export function canonical(written: string | number): string {
  const amount = up(nanos(written), NANO / 1000n) * (NANO / 1000n);
  if (amount === 0n) return "0";
  const text = String(written);
  if (text.endsWith("i") && amount >= 1024n * NANO && amount % NANO === 0n) {
    return largest(amount / NANO, 1024n, ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]);
  }
  if (/[eE][+-]?\d+$/.test(text)) {
    let exponent = -9;
    let mantissa = amount;
    for (; mantissa % 1000n === 0n; exponent += 3) mantissa /= 1000n;
    return exponent === 0 ? `${mantissa}` : `${mantissa}e${exponent}`;
  }
  return largest(amount, 1000n, ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"]);
}

function largest(amount: bigint, step: bigint, suffixes: readonly string[]): string {
  const [suffix = "", ...larger] = suffixes;
  return larger.length > 0 && amount % step === 0n ? largest(amount / step, step, larger) : `${amount}${suffix}`;
}

function up(amount: bigint, by: bigint): bigint {
  return amount % by > 0n ? amount / by + 1n : amount / by;
}

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatQuantity, parseQuantity, scaleQuantity } from "../../webhook/admission/quantity.ts";
import * as model from "./model/quantity.ts";

const digits = fc.integer({ min: 0, max: 10_000 }).map(String);
const number = fc.oneof(
  digits,
  fc.tuple(digits, digits).map(([whole, fraction]) => `${whole}.${fraction}`),
  digits.map((fraction) => `.${fraction}`),
  digits.map((whole) => `${whole}.`),
);
const suffix = fc.constantFrom("", "n", "u", "m", "k", "M", "G", "T", "Ki", "Mi", "Gi", "Ti", "e3", "E-2", "e+1", "e0");
const quantity = fc.tuple(number, suffix).map(([mantissa, unit]) => mantissa + unit);

function canonical(text: string | number): string | undefined {
  const parsed = parseQuantity(text);
  return parsed && formatQuantity(parsed);
}

describe("a quantity", () => {
  it.each([
    ["1", 1_000_000_000n],
    ["100m", 100_000_000n],
    ["0.1", 100_000_000n],
    [".5", 500_000_000n],
    ["1.", 1_000_000_000n],
    ["1Ki", 1024_000_000_000n],
    ["1.5Ki", 1536_000_000_000n],
    ["1k", 1_000_000_000_000n],
    ["1e3", 1_000_000_000_000n],
    ["1E3", 1_000_000_000_000n],
    ["1E", 10n ** 27n],
    ["12e-1", 1_200_000_000n],
    ["-1", -1_000_000_000n],
    ["+1", 1_000_000_000n],
    ["0", 0n],
    ["000", 0n],
    ["0.1n", 1n],
    [2, 2_000_000_000n],
    [0.25, 250_000_000n],
    [1e21, 10n ** 30n],
  ])("%s is read exactly", (text, nanos) => {
    expect(parseQuantity(text)?.nanos).toBe(nanos);
  });

  it.each([
    "",
    ".",
    "-",
    "1 ",
    " 1",
    "1K",
    "1mi",
    "1ki",
    "0x1",
    "1e",
    "1e3Ki",
    "1.2.3",
    "--1",
    "1,5",
    "∞",
    "NaN",
  ])("is not %j", (text) => {
    expect(parseQuantity(text)).toBeUndefined();
  });

  it("is not a number that JSON cannot hold, nor one of a thousand digits", () => {
    expect(parseQuantity(Number.NaN)).toBeUndefined();
    expect(parseQuantity(Number.POSITIVE_INFINITY)).toBeUndefined();
    expect(parseQuantity("9".repeat(1_000))).toBeUndefined();
  });

  it("is read as the model reads it, the first time and the second", () => {
    fc.assert(
      fc.property(quantity, (text) => {
        expect(parseQuantity(text)?.nanos).toBe(model.nanos(text));
        expect(parseQuantity(text)?.nanos).toBe(model.nanos(text));
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("a quantity's canonical form", () => {
  it.each([
    ["1000m", "1"],
    ["1.5", "1500m"],
    ["0.5Gi", "512Mi"],
    ["1024Mi", "1Gi"],
    ["1000Mi", "1000Mi"],
    ["2000", "2k"],
    ["1e3", "1k"],
    ["0.0001", "1m"],
    ["100n", "1m"],
    ["0", "0"],
    ["0Mi", "0"],
    ["1.1Ki", "1127"],
    ["512Ki", "512Ki"],
    ["0.5Ki", "512"],
    ["1000Ki", "1000Ki"],
  ])("of %s is %s", (text, expected) => {
    expect(canonical(text)).toBe(expected);
  });

  it("is left by the API server as it is", () => {
    fc.assert(
      fc.property(quantity, (text) => {
        const written = canonical(text) ?? "";
        expect(model.canonical(written)).toBe(written);
      }),
      { numRuns: 1_000 },
    );
  });

  it("is the API server's own, but for exponents and for fractions of a byte", () => {
    fc.assert(
      fc.property(quantity, (text) => {
        fc.pre(!/[eE]/.test(text) && !(text.endsWith("i") && model.canonical(text).endsWith("m")));
        expect(canonical(text)).toBe(model.canonical(model.canonical(text)));
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("a scaled quantity", () => {
  const scaled = (text: string, factor: number) => {
    const parsed = parseQuantity(text);
    return parsed && scaleQuantity(parsed, factor);
  };

  it.each([
    ["2", 2, "4"],
    ["500m", 2, "1"],
    ["1Gi", 1.5, "1536Mi"],
    ["15m", 1.5, "23m"],
    ["125Ki", 1.25, "160k"],
    ["128Mi", 1.1, "147639501"],
    ["100M", 2, "200M"],
    ["1", 1.0001, "1"],
    ["1", 1.001, "1001m"],
    ["1", 100, "100"],
  ])("%s times %d is %s", (text, factor, expected) => {
    expect(scaled(text, factor)).toBe(expected);
  });

  it("is left by the API server as it is, and never less than it should be", () => {
    const thousandths = fc.integer({ min: 1_000, max: 100_000 });
    fc.assert(
      fc.property(quantity, thousandths, (text, factor) => {
        const written = scaled(text, factor / 1_000) ?? "";
        expect(model.canonical(written)).toBe(written);
        expect(model.nanos(written) * 1_000n).toBeGreaterThanOrEqual(model.nanos(text) * BigInt(factor));
      }),
      { numRuns: 1_000 },
    );
  });
});

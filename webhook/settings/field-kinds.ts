import Type, { type TSchema } from "typebox";

/**
 * The kinds of fields that a settings file has, and the patterns that they are held to. Every field says in
 * `description` what it is for, and in `accepts` what an error tells to write instead.
 */

export const group = <T extends Record<string, TSchema>>(description: string, fields: T) =>
  Type.Object(fields, { description, additionalProperties: false, default: {} });

export const oneOf = <T extends string>(values: readonly [T, ...T[]], fallback: T, description: string) =>
  Type.Enum([...values], { default: fallback, description, accepts: values.join(", ") });

export const integer = (fallback: number, minimum: number, maximum: number, description: string) =>
  Type.Integer({
    default: fallback,
    minimum,
    maximum,
    description,
    accepts: `a whole number from ${minimum} to ${maximum}`,
  });

export const factor = (fallback: number, description: string) =>
  Type.Number({ default: fallback, minimum: 1, maximum: 100, description, accepts: "a number from 1 to 100" });

export const text = (fallback: string, pattern: string, accepts: string, description: string) =>
  Type.String({ default: fallback, pattern, maxLength: 512, description, accepts });

export const list = <T extends TSchema>(items: T, fallback: readonly unknown[], accepts: string, description: string) =>
  Type.Array(items, { default: [...fallback], uniqueItems: true, description, accepts });

export const NAME = "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$";
export const SUBDOMAIN = "^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$";
export const HOST = "^[A-Za-z0-9.:_-]+$";
export const DNS = "^(\\*\\.)?[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?(\\.[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?)*$";
export const QUANTITY = "^[0-9]+(\\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$";
export const SOME_OF_IT = "(?=.*[1-9])";
/** The reference grammar of the OCI distribution specification, without the repository's length limit. */
export const IMAGE = [
  "^(?:(?:[A-Za-z0-9](?:[-A-Za-z0-9]*[A-Za-z0-9])?)(?:\\.[A-Za-z0-9](?:[-A-Za-z0-9]*[A-Za-z0-9])?)*(?::[0-9]{1,5})?/)?",
  "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*",
  "(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?",
  "(?:@sha256:[a-f0-9]{64})?$",
].join("");

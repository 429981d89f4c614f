/**
 * The JSON of a message as callers write it, and as they are given it. The generated JSON types have the names, the
 * enums and the docs; the message's own type says what those have lost: which texts are durations or instants, and
 * which fields are always there.
 */
import type { Message } from "@bufbuild/protobuf";
import type { Duration as DurationMessage, Timestamp, Value } from "@bufbuild/protobuf/wkt";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** What may be given for it: a `bigint` is a number, and keeps all its digits. */
export type JsonInput =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly JsonInput[]
  | { readonly [key: string]: JsonInput };

/** Protobuf's duration: seconds, up to nine decimals, and an s. */
export type Duration = `${number}s`;

/** What callers may write for it: "180s", "3m", "1h30m", "500ms", "2d". */
export type DurationInput =
  | `${number}${"ms" | "s" | "m" | "h" | "d"}`
  | `${number}${"h" | "d" | "m" | "s"}${string}`;

/** ISO 8601 text, or what becomes it: a `Date`, a `Temporal.Instant`. */
export type InstantInput = string | { toJSON(): string };

/** A field of the message, or a member of one of its oneofs. */
type Field<M, Name> = Name extends keyof M
  ? M[Name]
  : Extract<M[keyof M], { readonly case: Name }> extends { readonly value: infer Member }
    ? Member
    : never;

type Scalar<M, J> = M extends Value
  ? Json
  : M extends DurationMessage
    ? Duration
    : // Not `NaN` and its like, which this API knows nowhere.
      number extends M
      ? number
      : J;

type InputField<M, J> = M extends Timestamp
  ? InstantInput
  : M extends DurationMessage
    ? DurationInput
    : M extends Value
      ? JsonInput
      : M extends Message
        ? Input<M, J>
        : J extends object
          ? Readonly<J>
          : Scalar<M, J>;

/** Every field may be left out. */
export type Input<M, J> = {
  readonly [Name in keyof J]: InputField<NonNullable<Field<M, Name>>, NonNullable<J[Name]>>;
};

type OutputField<M, J> = M extends Timestamp
  ? string
  : M extends Value | DurationMessage
    ? Scalar<M, J>
    : M extends Message
      ? Output<M, J>
      : M extends readonly (infer Item)[]
        ? readonly OutputField<Item, J extends readonly (infer ItemJson)[] ? ItemJson : never>[]
        : J extends object
          ? Readonly<J>
          : Scalar<M, J>;

/** What a message always has, its JSON has too: answers are written with the fields that hold their default. */
type Always<M, J> = keyof { [Name in keyof M & keyof J as undefined extends M[Name] ? never : Name]: true } &
  keyof J;

/** Mapped by `keyof`, so that the docs of the fields stay with them. */
export type Output<M, J> = {
  readonly [Name in keyof Pick<J, Always<M, J>>]-?: OutputField<Field<M, Name>, NonNullable<J[Name]>>;
} & {
  readonly [Name in keyof Omit<J, Always<M, J>>]: OutputField<
    NonNullable<Field<M, Name>>,
    Name extends keyof J ? NonNullable<J[Name]> : never
  >;
};

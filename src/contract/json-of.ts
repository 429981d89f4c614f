/** What JSON leaves out. */
type Unwritten = symbol | ((...given: never[]) => unknown);

/** What is left of a type when a value of it has been written as JSON, and read again: a Date is text then. */
export type JsonOf<T> = 0 extends 1 & T
  ? T
  : T extends { toJSON(): infer J }
    ? JsonOf<J>
    : T extends string | number | boolean | null
      ? T
      : // Nothing was returned, and nothing is kept.
        T extends undefined | void
        ? undefined
        : T extends bigint
          ? number
          : T extends Unwritten
            ? undefined
            : T extends readonly unknown[]
              ? { readonly [I in keyof T]: JsonOf<T[I]> }
              : T extends object
                ? {
                    readonly [K in keyof T as T[K] extends Unwritten ? never : Exclude<K, symbol>]: JsonOf<
                      T[K]
                    >;
                  }
                : unknown;

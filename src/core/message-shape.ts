/** What is needed of protobuf's description of a message, so that server and client, and no package, can look into its JSON. */
export interface MessageShape {
  readonly typeName: string;
  readonly fields: readonly FieldShape[];
}

export interface FieldShape {
  readonly name: string;
  readonly jsonName: string;
  readonly fieldKind: string;
  readonly message?: MessageShape | undefined;
}

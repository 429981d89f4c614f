/** What is needed of protobuf's description of a message, so that server and client, and no package, can look into its JSON. */
export interface MessageShape {
  readonly typeName: string;
  readonly fields: readonly FieldShape[];
}

export interface FieldShape {
  readonly name: string;
  readonly jsonName: string;
  readonly fieldKind: string;
  /** Of a list: what its items are. */
  readonly listKind?: string | undefined;
  readonly message?: MessageShape | undefined;
  readonly enum?: EnumShape | undefined;
  /** A number of `google.protobuf.FieldDescriptorProto.Type`. */
  readonly scalar?: number | undefined;
  readonly oneof?: { readonly name: string } | undefined;
}

interface EnumShape {
  readonly values: readonly { readonly name: string; readonly number: number }[];
}

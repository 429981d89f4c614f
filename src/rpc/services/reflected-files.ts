/** What reflection knows: the files of some services, those that these need, and in which of them each name is declared. */
import {
  type DescEnum,
  type DescFile,
  type DescMessage,
  type DescService,
  toBinary,
} from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";

export interface ReflectedFiles {
  readonly services: readonly string[];
  byName(name: string): DescFile | null;
  /** `symbol`: the full name of a service, message or enum, or of anything in one. */
  bySymbol(symbol: string): DescFile | null;
  isMessage(name: string): boolean;
  /** The file and those that it needs, which come first, but for those in `told`; they are in it then. */
  bytesOf(file: DescFile, told: Set<string>): Uint8Array[];
}

export function reflectedFiles(services: readonly DescService[]): ReflectedFiles {
  const files = new Map<string, DescFile>();
  const symbols = new Map<string, DescFile>();
  const messages = new Set<string>();
  const bytes = new Map<DescFile, Uint8Array>();

  const addFile = (file: DescFile): void => {
    if (files.has(file.proto.name)) return;
    files.set(file.proto.name, file);
    for (const service of file.services) {
      symbols.set(service.typeName, file);
      for (const { name } of service.methods) symbols.set(`${service.typeName}.${name}`, file);
    }
    for (const one of file.enums) addEnum(one);
    for (const message of file.messages) addMessage(message);
    for (const needed of file.dependencies) addFile(needed);
  };
  const addMessage = ({ typeName, file, fields, oneofs, nestedMessages, nestedEnums }: DescMessage): void => {
    messages.add(typeName);
    for (const name of ["", ...[...fields, ...oneofs].map((part) => `.${part.name}`)])
      symbols.set(typeName + name, file);
    for (const nested of nestedMessages) addMessage(nested);
    for (const nested of nestedEnums) addEnum(nested);
  };
  const addEnum = ({ typeName, file, values }: DescEnum): void => {
    symbols.set(typeName, file);
    // As in C++, values stand beside their enum, not in it.
    const scope = typeName.slice(0, typeName.lastIndexOf(".") + 1);
    for (const { name } of values) symbols.set(scope + name, file);
  };
  const bytesOfOne = (file: DescFile): Uint8Array => {
    const made = bytes.get(file) ?? toBinary(FileDescriptorProtoSchema, file.proto);
    bytes.set(file, made);
    return made;
  };
  const bytesOf = (file: DescFile, told: Set<string>): Uint8Array[] => {
    told.add(file.proto.name);
    const needed = file.dependencies.flatMap((one) => (told.has(one.proto.name) ? [] : bytesOf(one, told)));
    return [...needed, bytesOfOne(file)];
  };

  for (const { file } of services) addFile(file);
  return {
    services: services.map(({ typeName }) => typeName).toSorted(),
    byName: (name) => files.get(name) ?? null,
    bySymbol: (symbol) => symbols.get(symbol) ?? null,
    isMessage: (name) => messages.has(name),
    bytesOf,
  };
}

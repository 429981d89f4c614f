/** The answer to a large call, written in slices: an outcome for each of its jobs. */
import { type DescMessage, type Message, toJsonString } from "@bufbuild/protobuf";
import { turns } from "../../turns.ts";

/** Fewer are written at once, by the protocol's handler. */
const FEW = 100;

/** Null: it is not large. */
export async function encodeLargeJson(schema: DescMessage, response: Message): Promise<Uint8Array | null> {
  const [list, ...more] = schema.fields.filter((field) => field.fieldKind === "list" && field.message);
  if (list?.message === undefined || more.length > 0) return null;
  const items = (response as unknown as Record<string, readonly Message[]>)[list.localName] ?? [];
  if (items.length < FEW) return null;
  const { message } = list;
  const others = toJsonString(schema, { ...response, [list.localName]: [] });
  const texts: string[] = [];
  for (const item of items) {
    texts.push(toJsonString(message, item));
    if (turns.isOver) await turns.next();
  }
  const own = `"${list.jsonName}":[${texts.join()}]`;
  const whole = others === "{}" ? `{${own}}` : `${others.slice(0, -1)},${own}}`;
  return new TextEncoder().encode(whole);
}

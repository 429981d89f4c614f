import { expect, test } from "vitest";
import { HeldLines } from "../../../src/cli/held-lines.ts";

function held() {
  const written: string[] = [];
  return { written, lines: new HeldLines({ write: (line) => void written.push(line) }) };
}

test("lines wait until they are released, and keep their order", () => {
  const { written, lines } = held();
  lines.write('{"level":"info","msg":"a"}');
  lines.write('{"level":"info","msg":"b"}');
  expect(written).toEqual([]);
  lines.release();
  lines.write('{"level":"info","msg":"c"}');
  expect(written.map((line) => JSON.parse(line).msg)).toEqual(["a", "b", "c"]);
});

test("trouble does not wait, nor what came before it", () => {
  const { written, lines } = held();
  lines.write('{"level":"info","msg":"a"}');
  lines.write('{"level":"warn","msg":"the database does not answer yet"}');
  expect(written).toHaveLength(2);
});

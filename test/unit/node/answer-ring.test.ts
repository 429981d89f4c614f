import { expect, test } from "vitest";
import { AnswerReader, AnswerWriter, createAnswerRing } from "../../../src/node/answer-ring.ts";

function ring() {
  const memory = createAnswerRing();
  const reader = new AnswerReader(memory);
  const take = () => {
    const taken: [number, string | null][] = [];
    reader.take((key, output) => taken.push([key, output]));
    return taken;
  };
  return { writer: new AnswerWriter(memory), reader, take };
}

test("answers come out in the order in which they went in, each once", () => {
  const { writer, take } = ring();
  const answers: [number, string | null][] = [
    [1, null],
    [-7, '{"a":1}'],
    [2_147_483_647, '""'],
    [4, '"ü 🚀 \\u0000"'],
    [5, ""],
  ];
  for (const [key, output] of answers) expect(writer.write(key, output)).toBe(true);
  expect(take()).toEqual(answers);
  expect(take()).toEqual([]);
});

test("go round the end again and again, whatever their length", () => {
  const { writer, take } = ring();
  const outputs = [null, "x", "ü".repeat(1024), "🚀".repeat(511), "y".repeat(1023)];
  for (let key = 1; key < 5000; key++) {
    const answers = Array.from({ length: 1 + (key % 7) }, (_, index): [number, string | null] => [
      key + index,
      outputs[(key + index) % outputs.length] ?? null,
    ]);
    for (const [each, output] of answers) expect(writer.write(each, output)).toBe(true);
    expect(take()).toEqual(answers);
  }
});

test("what there is no room for is refused, until there is room again", () => {
  const { writer, take } = ring();
  const written: [number, string | null][] = [];
  while (writer.write(written.length, "z".repeat(1000))) written.push([written.length, "z".repeat(1000)]);
  expect(written.length).toBeGreaterThan(50);
  expect(take()).toEqual(written);
  expect(writer.write(1, null)).toBe(true);
  expect(take()).toEqual([[1, null]]);
});

test("what is long is refused", () => {
  expect(ring().writer.write(1, "x".repeat(1025))).toBe(false);
});

test("one that is taken can make way for the next while it is handed over", () => {
  const { writer, reader } = ring();
  const taken: number[] = [];
  writer.write(1, null);
  reader.take((key) => {
    taken.push(key);
    if (key < 100) writer.write(key + 1, "x".repeat(1024));
  });
  expect(taken).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
});

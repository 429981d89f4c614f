import { expect, test } from "vitest";
import { durationOfText, protoDurationOfText } from "../../../src/core/duration-text.ts";

test.each([
  ["500ms", 500],
  ["10s", 10_000],
  ["0.25s", 250],
  ["3m", 180_000],
  ["1h30m", 5_400_000],
  ["1.5h", 5_400_000],
  ["2d", 172_800_000],
  ["1d2h3m4s5ms", 93_784_005],
  ["0s", 0],
])("%s is %d ms", (text, ms) => {
  expect(durationOfText(text)).toBe(ms);
});

test.each(["", "3", "m", "3 m", "-3m", "3M", "1h 30m", "3mm", "1e3s", "..5s", "9".repeat(50)])(
  "%j is none",
  (text) => {
    expect(durationOfText(text)).toBeNull();
    expect(protoDurationOfText(text)).toBeNull();
  },
);

test("protobuf's text has seconds alone", () => {
  expect(protoDurationOfText("1h30m")).toBe("5400s");
  expect(protoDurationOfText("500ms")).toBe("0.5s");
});

const WIDTH = 110;

/** Breaks a paragraph into short lines, of which all but the first are indented. A word that is longer has a line of its own. */
export function wrap(text: string, indent = ""): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (longer.length <= WIDTH || line.trim() === "") {
      line = longer;
      continue;
    }
    lines.push(line);
    line = `${indent}${word}`;
  }
  return [...lines, line].join("\n");
}

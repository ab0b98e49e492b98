/** A part of a file that can be read by itself. */
export interface Piece {
  readonly text: string;
  /** Its first line in the file, counted from 1. */
  readonly line: number;
}

/**
 * Cuts a YAML stream into its documents: a file of thousands of nodes is then read a little at a time, and after an
 * edit only the document that changed. YAML allows `---` at a line's start nowhere but between documents.
 */
export function splitDocuments(text: string): readonly Piece[] {
  // A directive belongs to the marker that follows it; such a stream is left whole.
  if (/^%/m.test(text)) return [{ text, line: 1 }];
  const starts = [0, ...[...text.matchAll(/^---(?=\s|$)/gm)].map(({ index }) => index)];
  const pieces: Piece[] = [];
  let line = 1;
  for (const [index, start] of starts.entries()) {
    const part = text.slice(start, starts[index + 1]);
    if (part.trim() !== "") pieces.push({ text: part, line });
    line += lineBreaks(part);
  }
  return pieces;
}

function lineBreaks(text: string): number {
  let count = 0;
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) count++;
  return count;
}

/**
 * Cuts a `kind: List` in block style, as kubectl writes it, into its head and its items; undefined where the text is
 * none, or anything about it is unusual. YAML keeps what belongs to an item to the right of the item's dash.
 */
export function splitList(document: Piece): readonly Piece[] | undefined {
  if (!/^kind: +List\s*$/m.test(document.text)) return undefined;
  // An anchor in one item may be meant in another.
  if (/[\s,[{]&\S/.test(document.text)) return undefined;
  const lines = document.text.split("\n");
  const itemsAt = lines.findIndex((line) => /^items:\s*$/.test(line));
  const indent = lines[itemsAt + 1]?.match(/^( *)- /)?.[1];
  if (itemsAt === -1 || indent === undefined) return undefined;

  const starts: number[] = [];
  let row = itemsAt + 1;
  for (; row < lines.length; row++) {
    const line = lines[row] ?? "";
    const depth = line.search(/[^ \r]/);
    if (depth === -1 || line[depth] === "#" || depth > indent.length) continue;
    if (line.startsWith(`${indent}- `)) starts.push(row);
    else if (depth === 0 && line[0] !== "-") break;
    else return undefined;
  }
  const head = [...lines.slice(0, itemsAt + 1), ...lines.slice(row)];
  const items = starts.map((start, index) => {
    const [first = "", ...rest] = lines.slice(start, starts[index + 1] ?? row);
    // Without its dash, an item is a document of its own.
    const text = [`${indent}  ${first.slice(indent.length + 2)}`, ...rest].join("\n");
    return { text, line: document.line + start };
  });
  return [{ text: head.join("\n"), line: document.line }, ...items];
}

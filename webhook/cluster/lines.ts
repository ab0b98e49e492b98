const LINE_FEED = 10;

/**
 * The lines of a stream of bytes, as text. What follows the last line feed is no line.
 *
 * @throws Error for a line longer than `maxBytes`, and for a stream that ends within a line.
 */
export async function* readLines(stream: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<string> {
  let begun: Buffer[] = [];
  let length = 0;
  const add = (part: Buffer) => {
    length += part.length;
    if (length > maxBytes) throw new Error(`a line is longer than ${maxBytes} bytes`);
    begun.push(part);
  };
  for await (const chunk of stream) {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      add(chunk.subarray(start, end));
      start = end + 1;
      const line = begun.length === 1 ? begun[0] : Buffer.concat(begun);
      begun = [];
      length = 0;
      yield line?.toString("utf8") ?? "";
    }
    if (start < chunk.length) add(chunk.subarray(start));
  }
  if (length > 0) throw new Error("the stream ended in the middle of a line");
}

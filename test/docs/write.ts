import { readFile, writeFile } from "node:fs/promises";
import { withTables } from "./tables.ts";

/** `make docs`: writes the README's tables from the code. */
const README = new URL("../../README.md", import.meta.url);
await writeFile(README, withTables(await readFile(README, "utf8")));

/** The code that the README shows stands in the examples and in their tests as it is. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");

const SOURCES = ["examples/hello/src/plugin.ts", "examples/hello/src/main.ts", "test/hello.test.ts"].map(read);

test("the README shows code that is compiled and tested", () => {
  const blocks = read("README.md").split("```ts\n").slice(1);
  assert.equal(blocks.length, 3);
  for (const block of blocks) {
    const code = block.slice(0, block.indexOf("```"));
    assert(
      SOURCES.some((source) => source.includes(code)),
      `this stands nowhere:\n${code}`,
    );
  }
});

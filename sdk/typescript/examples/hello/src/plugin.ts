/** The smallest useful plugin: an importer that makes a unit of every line of a list. */
import { readFile } from "node:fs/promises";

import { type Context, Done, type Importer, Plugin, PluginError, type SyncRequest } from "wharf-sdk";

interface Settings {
  url: string;
}

class Hello implements Importer {
  async sync(request: SyncRequest, context: Context): Promise<Done> {
    const { url } = request.attachment.settings<Settings>();
    const list = await context.download(url);
    for (const text of await lines(context.inWorkDir(list.staged ?? ""))) {
      await context.unit({ type: "greeting", key: { text } });
    }
    return Done.changed();
  }
}

async function lines(path: string): Promise<string[]> {
  try {
    const text = new TextDecoder("utf8", { fatal: true }).decode(await readFile(path));
    return text.split(/\r?\n/).filter((line) => line !== "");
  } catch (cause) {
    throw PluginError.operation("content.list", "the list is no text", { cause });
  }
}

export const plugin = Plugin.load(new URL("..", import.meta.url)).importer("importer", new Hello());

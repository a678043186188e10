/**
 * What distributors tell: the files of a publication.
 *
 * @module
 */
import { Alias, PublishedFile as WirePublishedFile, Variant } from "../gen/wharf/v1/event.js";
import { type PublishedFile, publishedToWire } from "../model/published.js";
import { Declare } from "./declare.js";

/** What distributors tell. All of it throws `PluginError.cancelled()` once the call is cancelled or over. */
export abstract class Publish extends Declare {
  /** A file of the publication. An entry that alone is larger than a message is a fault. */
  file(file: PublishedFile): Promise<void> {
    return this.events.add("files", (writer) => WirePublishedFile.encode(publishedToWire(file), writer));
  }

  /**
   * Every file of every unit of the published version, at its own path below a prefix, which may be empty. Only units of
   * these types; none means all.
   */
  async passThrough(prefix = "", types: readonly string[] = []): Promise<void> {
    await this.events.send({ $case: "passThrough", value: { prefix, types: [...types] } });
  }

  /** Takes over the entries of the previous publication below a prefix unchanged. */
  async reuse(publication: number, prefix: string): Promise<void> {
    await this.events.send({ $case: "reuse", value: { publication, prefix } });
  }

  /** A second name of a published path, with the same bytes. */
  alias(path: string, target: string): Promise<void> {
    return this.#secondName({ path, target, redirect: false });
  }

  /** A second name of a published path, answered with a redirect. */
  redirect(path: string, target: string): Promise<void> {
    return this.#secondName({ path, target, redirect: true });
  }

  /**
   * A representation of a path that has several; the host chooses by what the client accepts. `path`: a folder of the
   * tree with a slash at its end, or a path without a file of its own. `target`: a published file. `mediaType`: sent as
   * it is. `also`: other media types under which clients ask for it. The first variant told is sent to whoever likes
   * several equally.
   */
  variant(path: string, target: string, mediaType: string, also: readonly string[] = []): Promise<void> {
    return this.#variant({ path, target, mediaType, also: [...also], encoding: "" });
  }

  /**
   * A published file that is a variant of `path` in an encoding, `gzip`: clients that accept it get this in place of the
   * variant of the same media type that is not encoded.
   */
  encodedVariant(path: string, target: string, mediaType: string, encoding: string): Promise<void> {
    return this.#variant({ path, target, mediaType, also: [], encoding });
  }

  #variant(variant: Variant): Promise<void> {
    return this.events.add("variants", (writer) => Variant.encode(variant, writer));
  }

  #secondName(alias: Alias): Promise<void> {
    return this.events.add("aliases", (writer) => Alias.encode(alias, writer));
  }
}

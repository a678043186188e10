/**
 * Service `Importer`.
 *
 * @module
 */
import type { Calls } from "../../context/calls.js";
import type * as wire from "../../gen/wharf/v1/importer.js";
import { ImporterService } from "../../gen/wharf/v1/importer.js";
import type { Attachment } from "../../gen/wharf/v1/model.js";
import type { Importer } from "../../role/importer.js";
import { FetchRequest, ListRequest, ResolveRequest, SyncRequest, UploadRequest } from "../../role/importer.js";
import type { Registry } from "../registry.js";
import { bind, component, encoded, long, type Service } from "./support.js";

export function importerService(registry: Registry, calls: Calls): Service {
  const of = (wire: { attachment: Attachment | undefined }): Importer =>
    registry.role("importer", component(wire.attachment));
  const definition = {
    sync: encoded(ImporterService.sync),
    list: encoded(ImporterService.list),
    fetch: encoded(ImporterService.fetch),
    upload: encoded(ImporterService.upload),
    resolve: encoded(ImporterService.resolve),
  };
  const sync = (request: wire.SyncRequest): SyncRequest => new SyncRequest(request);
  const list = (request: wire.ListRequest): ListRequest => new ListRequest(request);
  const fetch = (request: wire.FetchRequest): FetchRequest => new FetchRequest(request);
  const upload = (request: wire.UploadRequest): UploadRequest => new UploadRequest(request);
  const resolve = (request: wire.ResolveRequest): ResolveRequest => new ResolveRequest(request);
  const implementation = {
    sync: long(calls, "sync", sync, (wire) => bind(of(wire), "sync")),
    list: long(calls, "list", list, (wire) => bind(of(wire), "list")),
    fetch: long(calls, "fetch", fetch, (wire) => bind(of(wire), "fetch")),
    upload: long(calls, "upload", upload, (wire) => bind(of(wire), "upload")),
    resolve: long(calls, "resolve", resolve, (wire) => bind(of(wire), "resolve")),
  };
  return [definition, implementation];
}

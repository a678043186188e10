/**
 * Service `Distributor`.
 *
 * @module
 */
import type { Calls } from "../../context/calls.js";
import { PluginError } from "../../errors.js";
import type * as wire from "../../gen/wharf/v1/distributor.js";
import { DistributorService } from "../../gen/wharf/v1/distributor.js";
import type { Attachment } from "../../gen/wharf/v1/model.js";
import type { Distributor } from "../../role/distributor.js";
import {
  ClientConfigRequest,
  clientConfigToWire,
  PublishRequest,
  ReissueRequest,
  UnpublishRequest,
} from "../../role/distributor.js";
import type { Registry } from "../registry.js";
import { bind, component, encoded, long, once, type Service } from "./support.js";

export function distributorService(registry: Registry, calls: Calls): Service {
  const of = (wire: { attachment: Attachment | undefined }): Distributor =>
    registry.role("distributor", component(wire.attachment));
  const definition = {
    publish: encoded(DistributorService.publish),
    unpublish: encoded(DistributorService.unpublish),
    reissue: encoded(DistributorService.reissue),
    clientConfig: DistributorService.clientConfig,
  };
  const publish = (request: wire.PublishRequest): PublishRequest => new PublishRequest(request);
  const unpublish = (request: wire.UnpublishRequest): UnpublishRequest => new UnpublishRequest(request);
  const reissue = (request: wire.ReissueRequest): ReissueRequest => new ReissueRequest(request);
  const implementation = {
    publish: long(calls, "publish", publish, (wire) => bind(of(wire), "publish")),
    unpublish: long(calls, "unpublish", unpublish, (wire) => bind(of(wire), "unpublish")),
    reissue: long(calls, "reissue", reissue, (wire) => bind(of(wire), "reissue")),
    clientConfig: once(calls, of, async (request: wire.ClientConfigRequest, distributor) => {
      if (distributor.clientConfig === undefined) throw PluginError.notOffered("client_config");
      return clientConfigToWire(await distributor.clientConfig(new ClientConfigRequest(request)));
    }),
  };
  return [definition, implementation];
}

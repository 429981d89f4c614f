/** Of all files that Buf hands to a plugin, the services that callers use. */
import type { DescFile, DescService } from "@bufbuild/protobuf";

/** What is between nodes is not for callers; what is of a standard is not called in JSON. */
const PUBLIC = ["JobService", "ClusterService"];

export function publicServices(files: readonly DescFile[]): DescService[] {
  const services = files.flatMap((file) => file.services);
  return PUBLIC.map((name) => {
    const service = services.find(({ typeName }) => typeName === `elasticjob.v1.${name}`);
    if (service === undefined) throw new Error(`there is no service ${name}; run with strategy: all`);
    return service;
  });
}

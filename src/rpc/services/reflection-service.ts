/**
 * gRPC's server reflection, of what callers are offered: so that `buf curl`, grpcurl and others call a node without its proto.
 * Both versions of it have the same messages, by other names.
 */
import type { ServiceImpl } from "@connectrpc/connect";
import { quote } from "../../core/errors.ts";
import { untilAborted } from "../../core/flow/until-aborted.ts";
import { ClusterService } from "../../gen/elasticjob/v1/cluster_service_pb.ts";
import { JobService } from "../../gen/elasticjob/v1/job_service_pb.ts";
import { Health } from "../../gen/grpc/health/v1/health_pb.ts";
import type {
  ServerReflection,
  ServerReflectionRequest,
} from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import type {
  ServerReflection as OlderReflection,
  ServerReflectionRequest as OlderRequest,
} from "../../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { type ReflectedFiles, reflectedFiles } from "./reflected-files.ts";

/** Codes of gRPC's. */
const INVALID_ARGUMENT = 3;
const NOT_FOUND = 5;

/** What is between nodes is not there. */
const PUBLIC = [JobService, ClusterService, Health];

export function createReflectionServices(closing: AbortSignal): {
  readonly reflection: ServiceImpl<typeof ServerReflection>;
  readonly older: ServiceImpl<typeof OlderReflection>;
} {
  const files = reflectedFiles(PUBLIC);
  async function* serverReflectionInfo<Request extends ServerReflectionRequest | OlderRequest>(
    requests: AsyncIterable<Request>,
  ) {
    const told = new Set<string>();
    for await (const request of untilAborted(requests, closing)) {
      yield {
        validHost: request.host,
        originalRequest: request,
        messageResponse: answerTo(request, files, told),
      };
    }
  }
  return { reflection: { serverReflectionInfo }, older: { serverReflectionInfo } };
}

function answerTo(
  { messageRequest: asked }: ServerReflectionRequest | OlderRequest,
  files: ReflectedFiles,
  told: Set<string>,
) {
  switch (asked.case) {
    case "listServices":
      return list(files.services);
    case "fileByFilename": {
      const file = files.byName(asked.value);
      return file === null ? notFound("file", asked.value) : filesOf(files.bytesOf(file, told));
    }
    case "fileContainingSymbol": {
      const file = files.bySymbol(asked.value);
      return file === null ? notFound("symbol", asked.value) : filesOf(files.bytesOf(file, told));
    }
    case "allExtensionNumbersOfType":
      return files.isMessage(asked.value) ? noExtensions(asked.value) : notFound("message", asked.value);
    case "fileContainingExtension": {
      const { containingType, extensionNumber } = asked.value;
      return notFound("extension", `${extensionNumber} of ${containingType}`);
    }
    default:
      return failure(INVALID_ARGUMENT, "message_request: is missing; one of the five is accepted");
  }
}

const list = (names: readonly string[]) => ({
  case: "listServicesResponse" as const,
  value: { service: names.map((name) => ({ name })) },
});

const filesOf = (fileDescriptorProto: Uint8Array[]) => ({
  case: "fileDescriptorResponse" as const,
  value: { fileDescriptorProto },
});

const noExtensions = (baseTypeName: string) => ({
  case: "allExtensionNumbersResponse" as const,
  value: { baseTypeName, extensionNumber: [] },
});

const notFound = (what: string, name: string) => failure(NOT_FOUND, `there is no ${what} ${quote(name)}`);

const failure = (errorCode: number, errorMessage: string) => ({
  case: "errorResponse" as const,
  value: { errorCode, errorMessage },
});

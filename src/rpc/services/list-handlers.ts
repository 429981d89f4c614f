import { create } from "@bufbuild/protobuf";
import {
  type GetHandlersRequest,
  type GetHandlersResponse,
  GetHandlersResponseSchema,
  HandlerFormSchema,
  OfferedHandlerSchema,
} from "../../gen/elasticjob/v1/cluster_service_pb.ts";
import type { HandlerView, JobApi } from "../../master/job-api.ts";
import { handlersPageToken, readHandlersPageToken } from "../conversion/page-token.ts";
import { timestampOf } from "../conversion/proto-time.ts";
import { pageSizeOf } from "./page-size.ts";

export function listHandlers(request: GetHandlersRequest, api: JobApi): GetHandlersResponse {
  const after = readHandlersPageToken(request.pageToken);
  const { handlers, hasMore } = api.readHandlers(after, pageSizeOf(request.pageSize));
  const last = handlers.at(-1);
  return create(GetHandlersResponseSchema, {
    handlers: handlers.map(toMessage),
    nextPageToken: hasMore && last !== undefined ? handlersPageToken(last.name) : "",
  });
}

function toMessage({ name, lastOffered, forms }: HandlerView) {
  return create(OfferedHandlerSchema, {
    name,
    lastOffered: timestampOf(lastOffered),
    forms: forms.map((form) => create(HandlerFormSchema, { ...form, nodeIds: [...form.nodeIds] })),
  });
}

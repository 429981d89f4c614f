/**
 * The generated services and messages, for those who call them with a Connect client of their own, or put a job into
 * a message of theirs. What is not used of it stays out of a bundle.
 */
export * from "../gen/elasticjob/v1/cluster_service_pb.ts";
export * from "../gen/elasticjob/v1/job_pb.ts";
export * from "../gen/elasticjob/v1/job_service_pb.ts";

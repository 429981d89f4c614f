/** What a module of contracts imports: next to nothing, so that pages, other services and handlers' threads can have it. */
export {
  type Contract,
  defineContract,
  type GivenPayload,
  type HandlerContract,
  type ReadOutput,
} from "./contract.ts";

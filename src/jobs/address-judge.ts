/**
 * Judges the addresses that connections of `http` are made to. A name is resolved once, by the connection itself, which is given
 * only those of its addresses that are allowed: DNS that says one thing to a check and another to the call (rebinding) has nothing
 * to win. Public addresses are allowed with their name, except the cluster's own; all others only by themselves.
 */
import type { LookupAddress } from "node:dns";
import type { LookupFunction } from "node:net";
import { PermanentError } from "./define-jobs.ts";
import { allowedText, allowsAddress, type HostRule, literalAddress } from "./host-rules.ts";
import { isPublic, plainAddress } from "./networks.ts";
import type { OwnAddresses } from "./own-addresses.ts";
import type { Resolve } from "./resolve.ts";

/** What a connection asks. */
interface Lookup {
  readonly hostname: string;
  readonly options: Parameters<LookupFunction>[1];
  readonly callback: Parameters<LookupFunction>[2];
}

export class AddressJudge {
  private readonly rules: readonly HostRule[];
  private readonly own: OwnAddresses;
  private readonly resolve: Resolve;

  constructor(rules: readonly HostRule[], own: OwnAddresses, resolve: Resolve) {
    this.rules = rules;
    this.own = own;
    this.resolve = resolve;
  }

  /** A connection to an address looks nothing up. */
  async checkLiteral(url: URL): Promise<void> {
    const address = literalAddress(url);
    if (address !== null) await this.allowed([{ address, family: 0 }], url);
  }

  /** For the connection of a call to this URL. */
  lookupFor(url: URL): LookupFunction {
    return (hostname, options, callback) => {
      void this.answer(url, { hostname, options, callback });
    };
  }

  private async answer(url: URL, { hostname, options, callback }: Lookup): Promise<void> {
    let addresses: LookupAddress[];
    try {
      addresses = await this.allowed(await this.resolve(hostname, options), url);
    } catch (error) {
      callback(error instanceof Error ? error : new Error(String(error)), "");
      return;
    }
    const [first] = addresses;
    if (options.all === true) callback(null, addresses);
    else callback(null, first?.address ?? "", first?.family);
  }

  /** Of these, never none. */
  private async allowed(addresses: readonly LookupAddress[], url: URL): Promise<LookupAddress[]> {
    const judged = await Promise.all(
      addresses.map(async (each) => ({ ...each, refusal: await this.refusal(each.address, url) })),
    );
    const allowed = judged.filter(({ refusal }) => refusal === null);
    if (allowed.length > 0) return allowed.map(({ address, family }) => ({ address, family }));
    const [first] = judged;
    if (first === undefined) throw new Error(`${url.hostname} has no address`);
    const address = plainAddress(first.address);
    const whose = literalAddress(url) === null ? `${url.hostname} is at ${address}, which` : address;
    throw new PermanentError(
      `${whose} is ${first.refusal}, and not allowed (${allowedText(this.rules)}); such an address is allowed only by itself or by its network: set HTTP_ALLOWED_HOSTS on the nodes to a list with ${withBrackets(address)}, and with the host's name where the URL has one`,
    );
  }

  /** What the address is, if it is not allowed. */
  private async refusal(address: string, url: URL): Promise<string | null> {
    if (allowsAddress(this.rules, address, url)) return null;
    if (!isPublic(plainAddress(address))) return "not a public address";
    return (await this.own.has(address)) ? "an address of the cluster itself" : null;
  }
}

function withBrackets(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}

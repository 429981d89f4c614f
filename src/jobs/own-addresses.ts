/** The addresses of the cluster's own servers and of this machine: public ones too are not `http`'s to call. */
import { networkInterfaces } from "node:os";
import { plainAddress } from "./networks.ts";
import { isUnknownName, type Resolve } from "./resolve.ts";

/** Servers move, as when a database fails over. */
const KNOWN_MS = 30_000;

export class OwnAddresses {
  private readonly hosts: readonly string[];
  private readonly resolve: Resolve;
  private known: { readonly at: number; readonly addresses: Promise<ReadonlySet<string>> } | null = null;

  /** `hosts`: names and addresses of MySQL, Redis and nodes. */
  constructor(hosts: readonly string[], resolve: Resolve) {
    this.hosts = hosts;
    this.resolve = resolve;
  }

  /** Rejects when that can't be told now. */
  async has(address: string): Promise<boolean> {
    const now = performance.now();
    if (this.known === null || now - this.known.at > KNOWN_MS) {
      const addresses = this.find();
      const known = { at: now, addresses };
      this.known = known;
      addresses.catch(() => {
        if (this.known === known) this.known = null;
      });
    }
    return (await this.known.addresses).has(canonical(address));
  }

  private async find(): Promise<ReadonlySet<string>> {
    const found = await Promise.all(this.hosts.map((host) => this.addressesOf(host)));
    const local = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
    return new Set([...found.flat(), ...local.map(({ address }) => address)].map(canonical));
  }

  private async addressesOf(host: string): Promise<string[]> {
    try {
      return (await this.resolve(host)).map(({ address }) => address);
    } catch (error) {
      // One of several Redis servers may have gone for good. Of any other trouble with DNS, nobody knows what it hides.
      if (isUnknownName(error)) return [];
      throw error;
    }
  }
}

/** One text for each address. */
function canonical(address: string): string {
  const plain = plainAddress(address);
  return URL.parse(plain.includes(":") ? `http://[${plain}]/` : `http://${plain}/`)?.hostname ?? plain;
}

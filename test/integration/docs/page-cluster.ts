/** What a page's blocks are run against: `elastic-job dev`, started anew where the page starts it, or shows other handlers. */
import { type ServingProcess, startServing } from "../../fixtures/serving-process.ts";

const START = /^((?:[A-Z_]+=\S+ )*)(?:npm start|(?:npx )?elastic-job dev)(?: +#.*)?$/;

/** The settings with which a line of a page starts it; null: it does something else. */
export function settingsOfStart(line: string): Record<string, string> | null {
  const [found, assignments = ""] = START.exec(line.trim()) ?? [];
  if (found === undefined) return null;
  const pairs = assignments
    .trim()
    .split(" ")
    .filter((each) => each !== "");
  return Object.fromEntries(pairs.map((pair) => pair.split(/=(.*)/s).slice(0, 2) as [string, string]));
}

export class PageCluster {
  readonly #folder: string;
  #serving: ServingProcess | null = null;
  #settings: Readonly<Record<string, string>> = {};

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** For what comes: started when the next block needs it. */
  async restartWith(settings: Readonly<Record<string, string>>): Promise<void> {
    await this.stop();
    // A relative path is the reader's, of his folder.
    const { HANDLERS } = settings;
    this.#settings =
      HANDLERS === undefined
        ? settings
        : { ...settings, HANDLERS: HANDLERS.replace(/^\.\//, `${this.#folder}/`) };
  }

  async serving(): Promise<ServingProcess> {
    this.#serving ??= await startServing({ NODE_ID: "node-1", ...this.#settings });
    return this.#serving;
  }

  /** A page's addresses as those of the cluster that runs. */
  async asServed(text: string): Promise<string> {
    const { edgeUrl, nodeUrl } = await this.serving();
    return text.replaceAll("http://127.0.0.1:8080", edgeUrl).replaceAll("http://127.0.0.1:7070", nodeUrl);
  }

  async stop(): Promise<void> {
    await this.#serving?.stop();
    this.#serving = null;
  }
}

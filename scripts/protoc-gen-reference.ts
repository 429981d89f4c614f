/** Run by Buf: makes docs/api.md of the public services. */
import { createEcmaScriptPlugin, runNodeJs } from "@bufbuild/protoplugin";
import manifest from "../package.json" with { type: "json" };
import { publicServices } from "./public-services.ts";
import { referencePage } from "./reference/page.ts";

runNodeJs(
  createEcmaScriptPlugin({
    name: "protoc-gen-reference",
    version: manifest.version,
    generateTs(schema) {
      // The last line's end is the file's own.
      schema.generateFile("api.md").print(referencePage(publicServices(schema.files)).trimEnd());
    },
  }),
);

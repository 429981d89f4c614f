import type { DescEnum } from "@bufbuild/protobuf";
import { InvalidArgumentError } from "commander";
import { quote } from "../core/errors.ts";
import { enumText } from "./job-text.ts";

/** The API's names as people write them: `failed` for JOB_STATUS_FAILED. */
export function enumNames(schema: DescEnum): string[] {
  return known(schema).map((name) => enumText(name).toLowerCase());
}

export function parseEnum(schema: DescEnum, text: string): string {
  const name = known(schema).find((each) => enumText(each) === text.toUpperCase());
  if (name !== undefined) return name;
  throw new InvalidArgumentError(`${quote(text)} is none of ${enumNames(schema).join(", ")}.`);
}

/** 0 stands for none. */
function known({ values }: DescEnum): string[] {
  return values.filter(({ number }) => number !== 0).map(({ name }) => name);
}

/** Completion for shells, written from the program's own definition, so that it never lags behind. */
import { Argument, Command } from "commander";
import { print } from "./client-command.ts";

interface Known {
  readonly name: string;
  readonly description: string;
  readonly options: readonly KnownOption[];
}

interface KnownOption {
  readonly flag: string;
  readonly description: string;
  readonly takesValue: boolean;
  readonly choices: readonly string[];
}

const SHELLS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;

const NOTES = `
Examples:
  elastic-job completion bash >> ~/.bashrc
  elastic-job completion zsh > "\${fpath[1]}/_elastic-job"
  elastic-job completion fish > ~/.config/fish/completions/elastic-job.fish`;

export function completionCommand(program: Command): Command {
  return new Command("completion")
    .description("print what a shell needs to complete command lines")
    .addArgument(new Argument("<shell>", "the shell").choices(Object.keys(SHELLS)))
    .addHelpText("after", NOTES)
    .action((shell: keyof typeof SHELLS) => print(SHELLS[shell](program.name(), knownOf(program))));
}

function knownOf(program: Command): Known[] {
  return program.commands.map((command) => ({
    name: command.name(),
    description: command.description(),
    options: command
      .createHelp()
      .visibleOptions(command)
      .map((option) => ({
        flag: option.long ?? option.short ?? "",
        description: option.description,
        takesValue: option.required || option.optional,
        choices: option.argChoices ?? [],
      })),
  }));
}

function bashScript(program: string, commands: readonly Known[]): string {
  const names = commands.map(({ name }) => name);
  const values = commands.flatMap(({ name, options }) =>
    options
      .filter(({ takesValue }) => takesValue)
      .map(({ flag, choices }) =>
        choices.length > 0
          ? `    ${name}:${flag}) COMPREPLY=($(compgen -W "${choices.join(" ")}" -- "$current")); return ;;`
          : `    ${name}:${flag}) return ;;`,
      ),
  );
  const options = commands.map(
    ({ name, options: each }) =>
      `    ${name}) COMPREPLY=($(compgen -W "${each.map(({ flag }) => flag).join(" ")}" -- "$current")) ;;`,
  );
  return `_${functionName(program)}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" command="" word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in ${names.join("|")}) command="$word"; break ;; esac
  done
  COMPREPLY=()
  case "$command:$previous" in
${values.join("\n")}
  esac
  case "$command" in
    "") COMPREPLY=($(compgen -W "${names.join(" ")} --help --version" -- "$current")) ;;
${options.join("\n")}
  esac
}
complete -o default -F _${functionName(program)} ${program}`;
}

function zshScript(program: string, commands: readonly Known[]): string {
  const described = commands.map(({ name, description }) => quoted(`${name}:${description}`));
  const cases = commands.map(({ name, options }) => {
    const specs = options.map(({ flag, description, takesValue, choices }) => {
      const value = !takesValue ? "" : choices.length > 0 ? `:value:(${choices.join(" ")})` : ":value:_files";
      return quoted(`${flag}[${description.replace(/[[\]:]/g, " ")}]${value}`);
    });
    return `    ${name}) _arguments ${[...specs, "'*:: :_files'"].join(" ")} ;;`;
  });
  return `#compdef ${program}
_${functionName(program)}() {
  if (( CURRENT == 2 )); then
    local -a commands=(${described.join(" ")})
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${cases.join("\n")}
  esac
}
compdef _${functionName(program)} ${program}`;
}

function fishScript(program: string, commands: readonly Known[]): string {
  const lines = [`complete -c ${program} -f`];
  for (const { name, description, options } of commands) {
    lines.push(`complete -c ${program} -n __fish_use_subcommand -a ${name} -d ${quoted(description)}`);
    for (const { flag, description: meaning, takesValue, choices } of options) {
      const kind = !takesValue ? "" : choices.length > 0 ? ` -x -a ${quoted(choices.join(" "))}` : " -r";
      lines.push(
        `complete -c ${program} -n '__fish_seen_subcommand_from ${name}' -l ${flag.replace(/^-+/, "")}${kind} -d ${quoted(meaning)}`,
      );
    }
  }
  return lines.join("\n");
}

function functionName(program: string): string {
  return program.replaceAll("-", "_");
}

/** Within single quotes a shell reads nothing; fish and the others differ in how a quote itself stands there. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "’")}'`;
}

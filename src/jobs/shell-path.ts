/** Where programs are looked for: the node's own PATH is none of theirs. */
export const SHELL_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** How large what a handler leaves behind may be. What is longer is cut, and marked so. */

/** Of an output, as JSON text. A page of results must hold one. */
export const MAX_OUTPUT_BYTES = 1 << 20;
/** Of an output that is longer, so much of its text is kept. */
export const OUTPUT_HEAD_CHARACTERS = 8192;
/** How the text that stands for such an output begins. */
export const TRUNCATED_OUTPUT = '{"truncated":true,"characters":';
/** Of an error's message, and of its stack. */
export const MAX_ERROR_CHARACTERS = 8192;
/** At the end of one that was longer. */
export const CUT_MARK = "… (cut)";
/** Of an error's name. */
export const MAX_ERROR_NAME_CHARACTERS = 128;
/** How far a chain of causes is followed. */
export const MAX_CAUSES = 5;
